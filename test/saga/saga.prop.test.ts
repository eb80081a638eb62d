import {
  type Arbitrary,
  assert,
  constantFrom,
  integer,
  property,
  record,
  subarray,
  tuple,
  uniqueArray,
} from "fast-check";
import { describe, expect, test } from "vitest";

import { SeededRandom } from "../../engine/memory/clock.ts";
import {
  BookingCancelled,
  BookingConfirmed,
  type BookingEvent,
  bookings,
  confirmBooking,
  denyBooking,
  finishCancellation,
  type Plan,
  trip,
  trips,
} from "./trip.ts";
import { World } from "./world.ts";

interface TripStepEvent {
  readonly tripId: string;
  readonly step: string;
  readonly attempt: number;
}

const steps = ["hold/north", "hold/south", "flight", "hotel", "guide", "seats"];
const attemptsMax = 3;

const plans: Arbitrary<Plan> = record({
  legs: subarray(["north", "south"]),
  soldOut: uniqueArray(
    tuple(integer({ min: 1, max: attemptsMax }), constantFrom(...steps)).map(
      ([attempt, step]) => `${attempt}/${step}`,
    ),
    { maxLength: 4 },
  ),
});

/** Bookings of steps whose end is reported, as the world has heard of them. */
const reported = (world: World): BookingEvent[] =>
  world.facts
    .filter(({ type }) => type.name === "BookingAsked")
    .map(({ event }) => event as BookingEvent)
    .filter(({ step }) => step === "flight" || step === "hotel");

/** Anything that can happen happens, in any order: a seed is a life. */
function live(plan: Plan, seed: number): World {
  const random = new SeededRandom(seed);
  const pick = <Item>(of: readonly Item[]): Item | undefined =>
    of[Math.floor(random.next() * of.length)];
  const world = new World({ processors: [trip.processor], deadlines: [trip.deadline] });
  for (const id of ["one", "two"]) world.must(trip.start({ id, input: plan }));
  const outcomes = [confirmBooking, confirmBooking, denyBooking, finishCancellation];
  for (let turn = 0; turn < 60; turn += 1) {
    const choice = random.next();
    const booking = pick(reported(world));
    if (choice < 0.4 && world.behind().length > 0) world.deliverNext(0);
    else if (choice < 0.55) world.deliver(0, Math.floor(random.next() * world.facts.length));
    else if (choice < 0.85 && booking) world.do((pick(outcomes) ?? confirmBooking)(booking));
    else if (choice < 0.9) world.passDeadline();
    else if (attemptOf(world, "one") < attemptsMax) world.do(trip.resubmit({ id: "one" }));
  }
  return world;
}

const attemptOf = (world: World, tripId: string): number =>
  1 + tripEvents(world, tripId).filter(({ name }) => name === "TripRetried").length;

/** The world becomes quiet: all is delivered, cancellations end, deadlines pass. */
function quiet(world: World): void {
  for (let before = -1; before < world.facts.length;) {
    before = world.facts.length;
    world.settle();
    for (const booking of reported(world)) world.do(finishCancellation(booking));
    world.passDeadline();
  }
}

const tripEvents = (world: World, tripId: string) =>
  world.facts
    .filter(({ topic }) => topic.name === trips.name)
    .map(({ type, event }) => ({ name: type.name, event: event as TripStepEvent }))
    .filter(({ event }) => event.tripId === tripId);

const endOf = (world: World, tripId: string) =>
  tripEvents(world, tripId).findLast(({ name }) =>
    ["TripBooked", "TripCalledOff", "TripRetried", "TripStarted"].includes(name),
  );

const keyOf = ({ tripId, attempt, step }: TripStepEvent): string => `${tripId}/${attempt}/${step}`;

const countOf = (world: World, type: { readonly name: string }, bookingId: string): number =>
  world.facts.filter(
    (one) => one.type.name === type.name && (one.event as BookingEvent).bookingId === bookingId,
  ).length;

/** What is left of each booking is what its trip has come to. */
function assertSettled(world: World, tripId: string): void {
  const end = endOf(world, tripId);
  expect(["TripBooked", "TripCalledOff"]).toContain(end?.name);
  const asked = world.facts.filter(({ type }) => type.name === "BookingAsked");
  for (const { event } of asked) {
    const { bookingId, tripId: of, step } = event as BookingEvent;
    if (of !== tripId) continue;
    const current = bookingId.startsWith(`${tripId}/${end?.event.attempt}/`);
    const kept = step === "guide" || (current && end?.name === "TripBooked");
    const waits = step === "flight" || step === "hotel";
    const had = !waits || countOf(world, BookingConfirmed, bookingId) > 0;
    expect([bookingId, countOf(world, BookingCancelled, bookingId)]).toEqual([
      bookingId,
      had && !kept ? 1 : 0,
    ]);
  }
}

/** At each beginning of an undoing, nothing that is to be undone too was done after it. */
function assertReverseOrder(world: World, tripId: string): void {
  const done: string[] = [];
  const undoing = new Set<string>();
  for (const { name, event } of tripEvents(world, tripId)) {
    const key = keyOf(event);
    if (name === "TripStepDone" && event.step !== "guide") done.push(key);
    const begins = name === "TripStepUndoing" || (name === "TripStepUndone" && !undoing.has(key));
    if (!begins) continue;
    undoing.add(key);
    const ofAttempt = done.filter((one) => one.startsWith(`${tripId}/${event.attempt}/`));
    expect(ofAttempt.at(-1)).toBe(key);
    done.splice(done.indexOf(key), 1);
  }
}

describe("a saga", () => {
  test("ends completed or reversed, and keeps nothing of what it gave up", () => {
    assert(
      property(plans, integer(), (plan, seed) => {
        const world = live(plan, seed);
        quiet(world);
        for (const id of ["one", "two"]) {
          assertSettled(world, id);
          assertReverseOrder(world, id);
        }
        expect(world.deadlines).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });

  test("does nothing more when everything is delivered again from the beginning", () => {
    assert(
      property(plans, integer(), (plan, seed) => {
        const world = live(plan, seed);
        quiet(world);
        const before = world.facts.length;
        for (let at = 0; at < before; at += 1) world.deliver(0, at);
        expect(world.facts.slice(before).map(({ type }) => type.name)).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  test("does each step of an attempt once, whatever is told twice", () => {
    assert(
      property(plans, integer(), (plan, seed) => {
        const world = live(plan, seed);
        quiet(world);
        const begun = world.facts.filter(({ type }) => type.name === "BookingAsked");
        const ids = begun.map(({ event }) => (event as BookingEvent).bookingId);
        expect(new Set(ids).size).toBe(ids.length);
        expect(world.names(bookings).length).toBeGreaterThanOrEqual(ids.length);
      }),
      { numRuns: 30 },
    );
  });
});
