import {
  accept,
  type Decision,
  defineCommand,
  defineDecisionModel,
  fact,
  refuse,
} from "../../engine/decision/definition.ts";
import {
  defineSaga,
  defineStep,
  recordedAs,
  reportsFrom,
  type SagaDefinition,
  type SagaProgress,
  type SagaRecords,
  type StepReport,
  type StepToDo,
  type StepToUndo,
} from "../../engine/saga/index.ts";
import { defineTopic, type EventType } from "../../engine/topic.ts";

/** A small domain of its own: a trip is a hold on each leg, a flight and a hotel, and a guide. */
const eventType = <Event>() => {
  return <const Name extends string>(name: Name, key: string): EventType<Name, Event> => ({
    name,
    fullName: `trips.${name}`,
    schema: { type: "record", name, fields: [{ name: key, type: "string" }] },
  });
};

interface TripEvent {
  readonly tripId: string;
  readonly step: string;
  readonly attempt: number;
  readonly reason: string;
  readonly bookingId: string | null;
  readonly dueAt: number | null;
}

export interface Plan {
  readonly legs: readonly string[];
  /** Bookings that are refused at once, as `<attempt>/<step>`. */
  readonly soldOut: readonly string[];
}

const ofTrip = eventType<TripEvent>();
export const TripStarted = eventType<{ readonly tripId: string } & Plan>()("TripStarted", "tripId");
export const TripStepBegun = ofTrip("TripStepBegun", "tripId");
export const TripStepDone = ofTrip("TripStepDone", "tripId");
export const TripStepFailed = ofTrip("TripStepFailed", "tripId");
export const TripStepUndoing = ofTrip("TripStepUndoing", "tripId");
export const TripStepUndone = ofTrip("TripStepUndone", "tripId");
export const TripBooked = ofTrip("TripBooked", "tripId");
export const TripCalledOff = ofTrip("TripCalledOff", "tripId");
export const TripRetried = ofTrip("TripRetried", "tripId");

export const trips = defineTopic({
  name: "trips",
  key: "tripId",
  partitions: 4,
  tags: { tripId: "trip" },
  events: [
    TripStarted,
    TripStepBegun,
    TripStepDone,
    TripStepFailed,
    TripStepUndoing,
    TripStepUndone,
    TripBooked,
    TripCalledOff,
    TripRetried,
  ],
});

export interface BookingEvent {
  readonly bookingId: string;
  readonly tripId: string;
  readonly step: string;
}

const ofBooking = eventType<BookingEvent>();
export const BookingAsked = ofBooking("BookingAsked", "bookingId");
export const BookingConfirmed = ofBooking("BookingConfirmed", "bookingId");
export const BookingDenied = ofBooking("BookingDenied", "bookingId");
export const CancellationAsked = ofBooking("CancellationAsked", "bookingId");
export const BookingCancelled = ofBooking("BookingCancelled", "bookingId");

export const bookings = defineTopic({
  name: "bookings",
  key: "bookingId",
  partitions: 4,
  tags: { bookingId: "booking" },
  events: [BookingAsked, BookingConfirmed, BookingDenied, CancellationAsked, BookingCancelled],
});

type BookingState = "unknown" | "asked" | "confirmed" | "denied" | "cancelling" | "cancelled";

const unknownBooking: BookingState = "unknown";

const booking = defineDecisionModel({
  name: "booking",
  tag: "booking",
  topic: bookings,
  initial: unknownBooking,
  on: {
    BookingAsked: (): BookingState => "asked",
    BookingConfirmed: (): BookingState => "confirmed",
    BookingDenied: (): BookingState => "denied",
    CancellationAsked: (): BookingState => "cancelling",
    BookingCancelled: (): BookingState => "cancelled",
  },
});

const bookingCommand = (
  name: string,
  decide: (state: BookingState, event: BookingEvent) => Decision<BookingEvent>,
) =>
  defineCommand({
    name,
    reads: ({ bookingId }: BookingEvent) => ({ state: booking.of(bookingId) }),
    decide: (event, { state }) => decide(state, event),
  });

const became = (type: (typeof bookings.events)[number], event: BookingEvent) =>
  accept([fact(bookings, type, event)], event);

/** Books at once what has no end to wait for. Never twice: a saga asks once. */
const book = defineCommand({
  name: "book",
  reads: ({ bookingId }: BookingEvent & { readonly soldOut: boolean }) => ({
    state: booking.of(bookingId),
  }),
  decide: ({ soldOut, ...event }, { state }): Decision<BookingEvent> => {
    if (soldOut) return refuse("sold-out", "Nothing is left.");
    if (state !== "unknown") throw new Error(`${event.bookingId} is booked twice.`);
    return became(BookingAsked, event);
  },
});

/** What the outside world says of a booking, at any time. */
export const confirmBooking = bookingCommand("confirm-booking", (state, event) =>
  state === "asked" || state === "denied" ? became(BookingConfirmed, event) : accept([], event),
);
export const denyBooking = bookingCommand("deny-booking", (state, event) =>
  state === "asked" ? became(BookingDenied, event) : accept([], event),
);
export const finishCancellation = bookingCommand("finish-cancellation", (state, event) =>
  state === "cancelling" ? became(BookingCancelled, event) : accept([], event),
);

const release = bookingCommand("release", (state, event) => {
  if (state === "cancelled") throw new Error(`${event.bookingId} is released twice.`);
  return became(BookingCancelled, event);
});

const askCancellation = bookingCommand("ask-cancellation", (state, event) => {
  if (state !== "confirmed") throw new Error(`${event.bookingId} is ${state}, and to be undone.`);
  return became(CancellationAsked, event);
});

const isCancelled = bookingCommand("is-cancelled", (state, event) =>
  state === "cancelled" ? accept([], event) : refuse("not-cancelled", "Not yet."),
);

export interface Booked {
  readonly bookingId: string;
}

type ToDo = StepToDo<Plan, Booked>;
type ToUndo = StepToUndo<Plan, Booked>;

const bookingOf = ({ id, attempt, step }: ToDo | ToUndo): BookingEvent => ({
  bookingId: `${id}/${attempt}/${step}`,
  tripId: id,
  step,
});

const asks = (step: ToDo) => {
  const { attempt, input } = step;
  const soldOut = input.soldOut.includes(`${attempt}/${step.step}`);
  return book({ ...bookingOf(step), soldOut });
};

const keep = ({ bookingId }: BookingEvent): Booked => ({ bookingId });

export const dueMs = 60_000;

const hold = defineStep({
  name: "hold",
  each: ({ input }: { readonly input: Plan }) => input.legs,
  call: asks,
  keep,
  undo: { calls: (tried: ToUndo) => release(bookingOf(tried)) },
});

/** Its end is reported, and that it is undone, too. */
const reportedStep = (name: string) =>
  defineStep({
    name,
    call: asks,
    keep,
    reportedWithinMs: dueMs,
    undo: {
      calls: (tried: ToUndo) => askCancellation(bookingOf(tried)),
      ended: (tried: ToUndo) => isCancelled(bookingOf(tried)),
    },
  });

/** What it did stays. */
const guide = defineStep({ name: "guide", call: asks, keep });

/** Only a trip with a leg needs a seat in the end. */
const seats = defineStep({
  name: "seats",
  when: ({ done }: SagaProgress<Plan, Booked>) =>
    [...done.keys()].some((step) => step.startsWith("hold/")),
  call: asks,
  keep,
  undo: { calls: (tried: ToUndo) => release(bookingOf(tried)) },
});

interface Tried {
  readonly step: string;
  readonly attempt: number;
}

const nothing = { step: "", reason: "", bookingId: null, dueAt: null };
const triedOf = ({ step, attempt }: Tried): Tried => ({ step, attempt });
const bookedOf = (bookingId: string | null): Booked | undefined =>
  bookingId === null ? undefined : { bookingId };

const records: SagaRecords<Plan, Booked> = {
  started: recordedAs(TripStarted, {
    write: ({ input }, { id }) => ({ tripId: id, ...input }),
    read: ({ tripId, ...input }) => ({ id: tripId, input }),
  }),
  stepStarted: recordedAs(TripStepBegun, {
    write: ({ data, dueAtMs, ...fact }, { id }) => ({
      ...nothing,
      ...triedOf(fact),
      tripId: id,
      bookingId: data?.bookingId ?? null,
      dueAt: dueAtMs ?? null,
    }),
    read: ({ bookingId, dueAt, ...event }) => ({
      ...triedOf(event),
      data: bookedOf(bookingId),
      dueAtMs: dueAt ?? undefined,
    }),
  }),
  stepDone: recordedAs(TripStepDone, {
    write: ({ data, ...fact }, { id }) => ({
      ...nothing,
      ...triedOf(fact),
      tripId: id,
      bookingId: data?.bookingId ?? null,
    }),
    read: ({ bookingId, ...event }) => ({ ...triedOf(event), data: bookedOf(bookingId) }),
  }),
  stepFailed: recordedAs(TripStepFailed, {
    write: ({ reason, ...fact }, { id }) => ({ ...nothing, ...triedOf(fact), tripId: id, reason }),
    read: ({ reason, ...event }) => ({ ...triedOf(event), reason, detail: "" }),
  }),
  stepCompensating: recordedAs(TripStepUndoing, {
    write: (fact, { id }) => ({ ...nothing, ...triedOf(fact), tripId: id }),
    read: triedOf,
  }),
  stepCompensated: recordedAs(TripStepUndone, {
    write: (fact, { id }) => ({ ...nothing, ...triedOf(fact), tripId: id }),
    read: triedOf,
  }),
  completed: recordedAs(TripBooked, {
    write: ({ attempt }, { id }) => ({ ...nothing, attempt, tripId: id }),
    read: ({ attempt }) => ({ attempt }),
  }),
  reversed: recordedAs(TripCalledOff, {
    write: ({ attempt, reason }, { id }) => ({ ...nothing, attempt, tripId: id, reason }),
    read: ({ attempt, reason }) => ({ attempt, reason }),
  }),
  resubmitted: recordedAs(TripRetried, {
    write: ({ attempt }, { id }) => ({ ...nothing, attempt, tripId: id }),
    read: ({ attempt }) => ({ attempt }),
  }),
};

const reportOf =
  (kind: "done" | "undone" | "failed") =>
  ({ bookingId, tripId, step }: BookingEvent): StepReport<Booked> => ({
    sagaId: tripId,
    step,
    isOf: (booked: Booked) => booked.bookingId === bookingId,
    outcome: kind === "failed" ? { kind, reason: "denied", detail: "They said no." } : { kind },
  });

export interface TripAnswer {
  readonly tripId: string;
  readonly attempt: number;
}

export const tripDefinition: SagaDefinition<Plan, Booked, TripAnswer> = {
  name: "trip",
  topic: trips,
  records,
  stages: [[hold], [reportedStep("flight"), reportedStep("hotel"), guide], [seats]],
  reports: [
    reportsFrom(bookings, {
      BookingConfirmed: reportOf("done"),
      BookingDenied: reportOf("failed"),
      BookingCancelled: reportOf("undone"),
    }),
  ],
  answer: ({ id, attempt }) => ({ tripId: id, attempt }),
};

export const trip = defineSaga(tripDefinition);
