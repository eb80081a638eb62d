import { defineProcessor, type Emit } from "../../engine/processor.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { offerSeats as offerSeatsByDefault } from "../seats/index.ts";

export interface WaitingListOptions {
  /** The command that offers seats (`seatOffersWith`), with its own time for offers. */
  readonly offerSeats: typeof offerSeatsByDefault;
}

interface OfModule {
  readonly moduleCode: string;
}

/**
 * Has seats offered to the line of a module whenever one may have become free. Who stands in line
 * is decided with the offers, against the store; this keeps no state, and may ask too often.
 *
 * A student who joins needs no offer: one joins only where the free seats, if any, are promised to
 * those before, and whatever freed these has asked already.
 */
export function waitingListWith({ offerSeats }: WaitingListOptions) {
  const offer = (_: unknown, { moduleCode }: OfModule, emit: Emit): void => {
    emit(offerSeats({ moduleCode }));
  };
  return defineProcessor({
    name: "waiting-list",
    from: moduleEvents,
    key: "moduleCode",
    on: {
      // A module that is offered has no line yet; when it is withdrawn, its line ends with it.
      ModuleOffered: "ignore",
      ModuleWithdrawn: "ignore",
      // The window may be open again.
      ModuleDetailsChanged: offer,
      ModuleCapacityChanged: offer,
      RegistrationCancelled: (_, event, emit) => {
        if (event.reason !== "MODULE_WITHDRAWN") offer(_, event, emit);
      },
      SeatOfferExpired: offer,
      WaitlistLeft: (_, event, emit) => {
        if (event.offered) offer(_, event, emit);
      },
      WaitlistJoined: "ignore",
      SeatOffered: "ignore",
      ModuleRegistered: "ignore",
      RegistrationCompleted: "ignore",
    },
  });
}

export const waitingList = waitingListWith({ offerSeats: offerSeatsByDefault });
