import { defineDecisionModel } from "../../engine/decision/definition.ts";
import { moduleEvents } from "../../schemas/topics.ts";

/**
 * What a decision on a seat must know of its module. Every registration reads it: of the line it
 * has a count alone (`waitingLine` has who stands in it), and held seats are not told from confirmed
 * ones: so payments, which make the second of the first, conflict with nobody who registers.
 */
export interface ModuleSeats {
  readonly offered: boolean;
  readonly title: string;
  readonly capacity: number;
  readonly feeCents: number;
  /** Milliseconds since 1970 (UTC); null: no bound. */
  readonly opensAtMs: number | null;
  readonly closesAtMs: number | null;
  /** Seats that are confirmed, or held: by registrations, and by offers to students in line. */
  readonly taken: number;
  /** Students in line who have no offer. */
  readonly waiting: number;
}

const unknownModule: ModuleSeats = {
  offered: false,
  title: "",
  capacity: 0,
  feeCents: 0,
  opensAtMs: null,
  closesAtMs: null,
  taken: 0,
  waiting: 0,
};

/** The seats of one module. */
export const moduleSeats = defineDecisionModel({
  name: "module-seats",
  tag: "module",
  topic: moduleEvents,
  initial: unknownModule,
  on: {
    ModuleOffered: (seats, event): ModuleSeats => ({
      ...seats,
      offered: true,
      title: event.title,
      capacity: event.capacity,
      feeCents: event.feeCents,
      opensAtMs: event.opensAt,
      closesAtMs: event.closesAt,
    }),
    ModuleDetailsChanged: (seats, event): ModuleSeats => ({
      ...seats,
      title: event.title,
      feeCents: event.feeCents,
      opensAtMs: event.opensAt,
      closesAtMs: event.closesAt,
    }),
    ModuleCapacityChanged: (seats, event): ModuleSeats => ({
      ...seats,
      capacity: event.capacity,
    }),
    ModuleWithdrawn: (seats): ModuleSeats => ({ ...seats, offered: false }),
    ModuleRegistered: (seats, event): ModuleSeats =>
      event.acceptedOffer ? seats : { ...seats, taken: seats.taken + 1 },
    RegistrationCancelled: (seats): ModuleSeats => ({ ...seats, taken: seats.taken - 1 }),
    WaitlistJoined: (seats): ModuleSeats => ({ ...seats, waiting: seats.waiting + 1 }),
    SeatOffered: (seats): ModuleSeats => ({
      ...seats,
      taken: seats.taken + 1,
      waiting: seats.waiting - 1,
    }),
    SeatOfferExpired: (seats): ModuleSeats => ({ ...seats, taken: seats.taken - 1 }),
    WaitlistLeft: (seats, event): ModuleSeats =>
      event.offered
        ? { ...seats, taken: seats.taken - 1 }
        : { ...seats, waiting: seats.waiting - 1 },
  },
});

/** Seats that nobody has and nobody holds; below 0 where the capacity was lowered. */
export const freeSeats = ({ capacity, taken }: ModuleSeats): number => capacity - taken;
