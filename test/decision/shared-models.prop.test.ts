import { array, assert, asyncProperty, constantFrom, integer, nat, record } from "fast-check";
import { expect, test, vi } from "vitest";

import { ModelCache } from "../../engine/decision/model-cache.ts";
import { ManualClock, SeededRandom } from "../../engine/memory/clock.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { all } from "../conformance/event-store.ts";
import {
  buy,
  giveBack,
  LaggingEventStore,
  newDecider,
  open,
  origin,
  shows,
  soldByShow,
} from "./seats.ts";

const step = record({
  decider: nat(3),
  how: constantFrom("buy", "buy", "buy", "give back", "plan"),
  show: constantFrom("a", "b"),
  person: constantFrom("p", "q", "r", "s"),
});

interface Step {
  readonly decider: number;
  readonly how: string;
  readonly show: string;
  readonly person: string;
}

interface Stage {
  readonly store: LaggingEventStore;
  readonly codec: JsonCodec;
  readonly models: ModelCache;
}

/** What sells a seat twice where conditions are made of positions that others have brought on. */
const sideBySide: Step[] = [
  { decider: 2, how: "buy", show: "b", person: "p" },
  { decider: 0, how: "buy", show: "a", person: "s" },
  { decider: 1, how: "buy", show: "b", person: "p" },
];

/** A state is that of the events up to its position: neither more nor fewer. */
async function assertTrue({ store, codec, models }: Stage): Promise<void> {
  const events = await all(store);
  const reader = codec.events(shows.events);
  for (const { value } of events) await reader.learn(value.readUInt32BE(1));
  for (const tag of new Set(events.flatMap(({ tags }) => tags))) {
    for (const model of models.ofTag(tag)) {
      let expected: unknown = model.model.initial;
      for (const { position, value, tags, id, recordedAtMs } of events) {
        const decoder = reader.known(value.readUInt32BE(1));
        if (!decoder?.type || position > model.upTo) continue;
        const event = decoder.decode(value, 5, value.length);
        const meta = { id, recordedAtMs };
        const placed = { name: decoder.type, tags, event, meta };
        if (model.reads(placed)) expected = model.evolved(expected, placed);
      }
      expect(model.state, `${model.model.name} of ${tag} up to ${model.upTo}`).toEqual(expected);
    }
  }
}

test("models that deciders share are true up to their positions, however their calls interleave", async () => {
  const rounds = array(array(step, { maxLength: 12 }), { maxLength: 6 });
  await assert(
    asyncProperty(rounds, integer({ min: 1, max: 4 }), nat(), async (rounds, seats, seed) => {
      const clock = new ManualClock();
      const store = new LaggingEventStore({ clock, random: new SeededRandom(seed) });
      const codec = new JsonCodec();
      const models = new ModelCache({ modelsMax: 8 });
      const rival = newDecider(store, codec, { models: new ModelCache() });
      const sharing = [0, 1, 2].map(() =>
        newDecider(store, codec, { models, conflictsMax: 2, roundCallsMax: 5 }),
      );
      const deciders = [...sharing, rival];
      for (const show of ["a", "b"]) await rival.execute(open({ show, seats }), origin);
      const tickets: string[] = [];
      const take = async ({ decider: index, how, show, person }: Step) => {
        const decider = deciders[index] ?? rival;
        const ticket = how === "give back" ? tickets.pop() : undefined;
        if (ticket !== undefined) {
          await decider.execute(giveBack({ ticket }), origin);
        } else if (how === "plan") {
          const plan = await decider.plan([{ call: buy({ show, person }), origin }]);
          const [request] = plan.requests;
          if (!request) return;
          await decider.settle(plan, [await store.append(request, { as: "processor" })]);
        } else {
          const result = await decider.execute(buy({ show, person }), origin);
          if (result.outcome === "accepted") tickets.push(result.answer.ticket);
        }
      };
      for (const round of rounds) {
        await Promise.all(round.map(take));
        await assertTrue({ store, codec, models });
      }
      for (const sold of soldByShow(await all(store), seats).values()) {
        expect(sold).toBeLessThanOrEqual(seats);
      }
    }),
    { numRuns: 500, examples: [[[sideBySide], 1, 841_368_823]] },
  );
});

/** Two deciders that share their models, and a show that is open. */
async function pair() {
  const store = new LaggingEventStore({ clock: new ManualClock(), random: new SeededRandom(1) });
  const codec = new JsonCodec();
  const models = new ModelCache();
  const one = newDecider(store, codec, { models });
  const other = newDecider(store, codec, { models });
  await one.execute(open({ show: "a", seats: 9 }), origin);
  return { store, one, other };
}

test("what one decider has recorded, another neither reads nor meets as a conflict", async () => {
  const { store, one, other } = await pair();
  const append = vi.spyOn(store, "append");
  const read = vi.spyOn(store, "read");
  for (const person of ["p", "q", "r"]) {
    for (const decider of [one, other]) await decider.execute(buy({ show: "a", person }), origin);
  }
  const verdicts = await Promise.all(append.mock.results.map(({ value }) => value));
  expect(verdicts.map(({ outcome }) => outcome)).toEqual(Array<string>(6).fill("appended"));
  expect(read).not.toHaveBeenCalled();
});

test("what has the id that a decision made isn't read, unless the id may have been made before", async () => {
  const { store, one, other } = await pair();
  const readsOf = async (seed?: string): Promise<number> => {
    const by = seed === undefined ? origin : { ...origin, seed };
    const bought = await one.execute(buy({ show: "a", person: "p" }), by);
    if (bought.outcome !== "accepted") return expect.fail(bought.outcome);
    const read = vi.spyOn(store, "read");
    await other.execute(giveBack(bought.answer), origin);
    const reads = read.mock.calls.length;
    read.mockRestore();
    return reads;
  };
  expect(await readsOf(), "nobody has asked for a ticket yet").toBe(1);
  expect(await readsOf()).toBe(0);
  expect(await readsOf("a seed")).toBe(1);
});
