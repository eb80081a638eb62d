import { describe, expect, it } from "vitest";

import { accept, defineCommand, fact, refuse } from "../../engine/decision/definition.ts";
import { given } from "../../engine/decision/given.ts";
import {
  defineSaga,
  defineStep,
  recordedAs,
  reportsFrom,
  type SagaStep,
  stepTimedOut,
} from "../../engine/saga/index.ts";
import {
  BookingAsked,
  type Booked,
  bookings,
  type Plan,
  trip,
  tripDefinition,
  trips,
  TripCalledOff,
  TripStarted,
  TripStepDone,
} from "./trip.ts";
import { World } from "./world.ts";

const plan: Plan = { legs: ["north"], soldOut: [] };

const anything = defineCommand({
  name: "anything",
  reads: () => ({}),
  decide: (answer: "yes" | "no") =>
    answer === "yes" ? accept([], undefined) : refuse("too-late", "It has left."),
});

const simple = (name: string, changes: Partial<SagaStep<Plan, Booked>> = {}) => ({
  ...defineStep<Plan, Booked>({ name, call: () => anything("yes") }),
  ...changes,
});

describe("defineSaga", () => {
  it("names every fault at once", () => {
    const { records } = tripDefinition;
    const { stepCompensating: _, ...few } = records;
    const wrong = {
      ...tripDefinition,
      name: "Trip",
      topic: { ...trips, tags: {} },
      records: { ...few, completed: { ...records.completed, type: BookingAsked } },
      stages: [[], [simple("a"), simple("a"), simple("B/c", { reportedWithinMs: 0 })]],
      reports: [
        reportsFrom<(typeof bookings.events)[number], Booked>({ ...bookings, partitions: 3 }, {}),
        { from: trips, on: { Nothing: () => undefined } },
      ],
      stepsMax: 0,
    };
    const message = String(faultOf(() => defineSaga(wrong)));
    for (const part of [
      "its name must be",
      "doesn't tag its key tripId",
      "stepsMax must be a whole number from 1 to 1000, not 0",
      "a stage has no steps",
      "two steps are named a",
      "the step name B/c must be",
      "reportedWithinMs of B/c must be 1 or more",
      "completed is recorded as trips.BookingAsked, which trips doesn't have",
      "trips is read twice",
      "different numbers of partitions",
      "trips has no event Nothing that could report",
    ]) {
      expect(message).toContain(part);
    }
  });

  it("wants reports where a step waits for them, and a record for an undoing that ends later", () => {
    const { records, reports: _, ...rest } = tripDefinition;
    const { stepCompensating: __, ...few } = records;
    const message = String(faultOf(() => defineSaga({ ...rest, records: few })));
    expect(message).toContain("a step waits for reports, and there are none");
    expect(message).toContain("the undoing of flight ends later");
  });

  it("says when an event is read back otherwise than it was written", () => {
    const { records } = tripDefinition;
    const stepDone = recordedAs<
      typeof TripStepDone,
      Parameters<typeof records.stepDone.write>[0],
      Plan
    >(TripStepDone, {
      write: (_, { id }) => ({
        tripId: id,
        step: "elsewhere",
        attempt: 1,
        reason: "",
        bookingId: null,
        dueAt: null,
      }),
      read: ({ step, attempt }) => ({ step, attempt, data: undefined }),
    });
    const saga = defineSaga({ ...tripDefinition, records: { ...records, stepDone } });
    const world = new World({ processors: [saga.processor], deadlines: [saga.deadline] });
    world.must(saga.start({ input: plan }));
    expect(() => world.settle()).toThrow(
      "TripStepDone is written with step hold/north, and read back with elsewhere",
    );
  });
});

function faultOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

describe("a saga's commands", () => {
  it("start once under a given id, and anew without one", () => {
    const startedFact = fact(trips, TripStarted, { tripId: "t1", ...plan });
    given([])
      .when(trip.start({ id: "t1", input: plan }))
      .then({ facts: [startedFact], answer: { tripId: "t1", attempt: 1 } });
    given([startedFact])
      .when(trip.start({ id: "t1", input: plan }))
      .then({ facts: [], answer: { tripId: "t1", attempt: 1 } });
    given([])
      .when(trip.start({ input: plan }))
      .then({
        facts: [fact(trips, TripStarted, { tripId: "id-1", ...plan })],
        answer: { tripId: "id-1", attempt: 1 },
      });
  });

  it("refuse to take up what isn't there, and what isn't reversed", () => {
    const startedFact = fact(trips, TripStarted, { tripId: "t1", ...plan });
    given([])
      .when(trip.resubmit({ id: "t1" }))
      .then({ refused: "trip-unknown" });
    given([startedFact])
      .when(trip.resubmit({ id: "t1" }))
      .then({ refused: "trip-not-reversed" });
  });

  it("let a step fail when its end isn't reported in time, and no other", () => {
    const world = new World({ processors: [trip.processor], deadlines: [trip.deadline] });
    world.must(trip.start({ id: "t/1", input: plan }));
    world.settle();
    const [flight] = world.deadlines;
    expect(flight?.key).toBe("t%2F1/flight/1");
    expect(flight?.type.at(flight.key, 0)).toMatchObject({ tags: ["trip:t/1"] });
    world.passDeadline();
    world.passDeadline();
    world.settle();
    const called = world.facts.find(({ type }) => type.name === TripCalledOff.name);
    expect(called?.event).toMatchObject({ reason: stepTimedOut });
    expect(world.names(bookings).filter((name) => name === "BookingCancelled")).toHaveLength(1);
  });
});

describe("an undoing that is refused", () => {
  const refusedUndo = (needless: boolean) => {
    const undo = { calls: () => anything("no"), needless: () => needless };
    const saga = defineSaga({
      ...tripDefinition,
      stages: [[simple("first", { undo })], [simple("second", { call: () => anything("no") })]],
    });
    const world = new World({ processors: [saga.processor], deadlines: [saga.deadline] });
    world.must(saga.start({ input: plan }));
    return world;
  };

  it("sets the record aside, and writes nothing of what came with it", () => {
    const world = refusedUndo(false);
    expect(() => world.settle()).toThrow(/first of saga id-1 can't be undone: too-late/);
    expect(world.names(trips)).toEqual(["TripStarted"]);
  });

  it("counts as undone where the definition calls the refusal needless", () => {
    const world = refusedUndo(true);
    world.settle();
    expect(world.names(trips).slice(-2)).toEqual(["TripStepUndone", "TripCalledOff"]);
  });
});
