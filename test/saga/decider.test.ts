import { expect, test } from "vitest";

import { Decider } from "../../engine/decision/decider.ts";
import {
  accept,
  defineCommand,
  defineDecisionModel,
  fact,
  followed,
  type FollowedCall,
} from "../../engine/decision/definition.ts";
import { ManualClock, SeededRandom } from "../../engine/memory/clock.ts";
import { MemoryDeadlines } from "../../engine/memory/deadlines.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import type { Emit } from "../../engine/processor.ts";
import { BookingAsked, bookings, trip, trips } from "./trip.ts";

function decided() {
  const clock = new ManualClock();
  const eventStore = new MemoryEventStore({ clock, deadlines: new MemoryDeadlines() });
  const reads = { count: 0 };
  const counted = new Proxy(eventStore, {
    get: (target, name) => {
      if (name === "read") reads.count += 1;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? (member as () => unknown).bind(target) : member;
    },
  });
  const shared = { codec: new JsonCodec(), clock, random: new SeededRandom(), metrics: noMetrics };
  const decider = new Decider({ ...shared, eventStore: counted, as: "processor" });
  return { decider, reads };
}

const origin = { correlationId: "c1", seed: "s1" };

/** What the saga's processor emits for an event that it reads. */
function emittedFor(name: string, event: unknown): FollowedCall {
  const react = trip.processor.on[name];
  let emitted: FollowedCall | undefined;
  const emit: Emit = (call, followUps = {}) => void (emitted = followed(call, followUps));
  const meta = { topic: trips.name, partition: 0, offset: 0, recordedAtMs: 0, sequence: 1 };
  if (typeof react === "function") react(undefined as never, event as never, emit, meta);
  if (!emitted) throw new Error(`Nothing is emitted for ${name}.`);
  return emitted;
}

/** A trip of so many legs, begun as far as it gets; how often the store was read for that. */
async function begun(legs: number, soldOut: readonly string[] = []) {
  const { decider, reads } = decided();
  const input = { legs: Array.from({ length: legs }, (_, leg) => `leg-${leg}`), soldOut };
  await decider.execute(trip.start({ id: "t1", input }), origin);
  const before = reads.count;
  const { call, ...followUps } = emittedFor("TripStarted", { tripId: "t1", ...input });
  const result = await decider.execute<never>(call as never, { ...origin, seed: "s2" }, followUps);
  const recorded = result.outcome === "accepted" ? result.recorded : [];
  return { names: recorded.map((one) => one.fact.type.name), reads: reads.count - before };
}

test("all steps of a saga that can be done are one append, in order", async () => {
  const { names } = await begun(2);
  const done = ["BookingAsked", "TripStepDone"];
  const waiting = ["BookingAsked", "TripStepBegun"];
  expect(names).toEqual([done, done, waiting, waiting, done].flat());
});

test("the store isn't read more often for many steps than for few", async () => {
  const few = await begun(2);
  const many = await begun(40);
  expect(many.names).toHaveLength(86);
  expect(many.reads).toBe(few.reads);
});

test("nor is it for undoing them", async () => {
  const few = await begun(3, ["1/hold/leg-2"]);
  const many = await begun(40, ["1/hold/leg-39"]);
  expect(many.names.at(-1)).toBe("TripCalledOff");
  expect(many.reads).toBe(few.reads);
});

const anyBooking = defineDecisionModel({
  name: "any-booking",
  tag: "booking",
  topic: bookings,
  initial: false,
  on: { BookingAsked: () => true },
});

const bookOne = defineCommand({
  name: "book-one",
  reads: ({ at }: { readonly at: number }) => ({ there: anyBooking.of(`b${at}`) }),
  decide: ({ at }) => {
    const event = { bookingId: `b${at}`, tripId: "t1", step: "any" };
    return accept([fact(bookings, BookingAsked, event)], at);
  },
});

test("a long chain of calls may name a model of its own at each", async () => {
  const { decider } = decided();
  const chain = (at: number): FollowedCall =>
    followed(bookOne({ at }), { accepted: () => (at < 60 ? chain(at + 1) : undefined) });
  const { call, ...followUps } = chain(1);
  const result = await decider.execute<never>(call as never, origin, followUps);
  expect(result.outcome === "accepted" && result.recorded.length).toBe(60);
});
