import { integer, type RowOf } from "../../engine/columns.ts";
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

const state = { waiting: integer() };

/** How many wait at this place of the lane; undefined: nobody. */
type InLine = RowOf<typeof state> | undefined;

/**
 * Has seats offered to the line of a module whenever one may have become free. Who stands in line
 * is decided with the offers, against the store; all that is kept here is whether anybody waits, so
 * that a module without a line, whose seats may change a thousand times a second, is not asked.
 *
 * A student who joins needs no offer: one joins only where the free seats, if any, are promised to
 * those before, and whatever freed these has asked already.
 */
export function waitingListWith({ offerSeats }: WaitingListOptions) {
  const offer = (line: InLine, { moduleCode }: OfModule, emit: Emit): InLine => {
    if (line !== undefined) emit(offerSeats({ moduleCode }));
    return line;
  };
  return defineProcessor({
    name: "waiting-list",
    from: moduleEvents,
    key: "moduleCode",
    state,
    on: {
      ModuleOffered: "ignore",
      // The window may be open again.
      ModuleDetailsChanged: offer,
      ModuleCapacityChanged: offer,
      ModuleWithdrawn: () => undefined,
      ModuleRegistered: "ignore",
      RegistrationCompleted: "ignore",
      RegistrationCancelled: offer,
      WaitlistJoined: (line) => ({ waiting: (line?.waiting ?? 0) + 1 }),
      SeatOffered: (line) => oneLess(line),
      SeatOfferExpired: offer,
      WaitlistLeft: (line, event, emit) =>
        event.offered ? offer(line, event, emit) : oneLess(line),
    },
  });
}

const oneLess = (line: InLine): InLine =>
  line === undefined || line.waiting === 1 ? undefined : { waiting: line.waiting - 1 };

export const waitingList = waitingListWith({ offerSeats: offerSeatsByDefault });
