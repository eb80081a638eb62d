import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { RebuildWish } from "../../engine/ports/rebuilds.ts";
import type { ErasedEventProjection } from "../../engine/projection.ts";
import { sweep } from "../../engine/rebuild/sweep.ts";
import { foldAll } from "../../engine/testing/given.ts";
import { board, history, tally, withNotes } from "../engine/seats.ts";
import { RebuildStage } from "./stage.ts";

interface Course {
  readonly seed: number;
  readonly before: readonly number[];
  readonly during: readonly number[];
  readonly crashOneIn: number;
  readonly conductors: number;
  readonly wishes: readonly RebuildWish[];
  readonly undo: boolean;
  /** Workers that come and go meanwhile. */
  readonly moves: number;
  readonly projection: ErasedEventProjection;
}

const course: fc.Arbitrary<Course> = fc.record({
  seed: fc.nat(1_000_000),
  before: fc.array(fc.nat(1_000), { maxLength: 100 }),
  during: fc.array(fc.nat(1_000), { maxLength: 60 }),
  crashOneIn: fc.constantFrom(0, 4, 10, 25),
  conductors: fc.constantFrom(1, 1, 2),
  wishes: fc.array(fc.constantFrom<RebuildWish>("pause", "run", "pause", "run", "abandon"), {
    maxLength: 3,
  }),
  undo: fc.boolean(),
  moves: fc.constantFrom(0, 0, 1, 2),
  projection: fc.constantFrom(board as ErasedEventProjection, tally as ErasedEventProjection),
});

async function write(stage: RebuildStage, numbers: readonly number[]): Promise<void> {
  const events = withNotes(history(numbers));
  for (let at = 0; at < events.length; at += 5) {
    await stage.append(events.slice(at, at + 5));
    await stage.clock.sleep(stage.random.next() * 200);
  }
}

async function steer(stage: RebuildStage, id: bigint, { wishes }: Course): Promise<void> {
  for (const wish of wishes) {
    await stage.clock.sleep(stage.random.next() * 500);
    await stage.rebuilds.wish(id, wish);
  }
  await stage.clock.sleep(stage.random.next() * 2_000);
  await stage.rebuilds.wish(id, "run");
}

async function move(stage: RebuildStage, { moves, projection }: Course): Promise<void> {
  for (let at = 0; at < moves; at += 1) {
    await stage.clock.sleep(stage.random.next() * 1_000);
    await stage.work([projection]);
    await stage.clock.sleep(stage.random.next() * 1_000);
    await stage.stopWorker();
  }
}

async function conductAll(stage: RebuildStage, id: bigint, given: Course): Promise<string> {
  const { projection, crashOneIn, conductors } = given;
  const crashes = (): boolean => crashOneIn > 0 && stage.random.next() * crashOneIn < 1;
  const all = Array.from({ length: conductors }, () => stage.conduct(projection, id, { crashes }));
  const records = await Promise.all(all);
  const [first] = records;
  expect(new Set(records.map(({ state }) => state)).size).toBe(1);
  expect(first?.failure).toBeUndefined();
  return first?.state ?? "none";
}

async function expectSound(stage: RebuildStage, projection: ErasedEventProjection): Promise<void> {
  await stage.caughtUp(projection);
  const own = stage.events.filter(({ type }) =>
    projection.from.some(({ events }) => events.some(({ name }) => name === type.name)),
  );
  const expected = foldAll(projection, own);
  for (const one of await stage.generations.list(projection.name)) {
    if (one.role !== "serving" && one.role !== "kept") continue;
    expect(await stage.rowsOf(one)).toEqual(expected);
    const { stored, counted } = await stage.digests(one);
    expect(stored).toEqual(counted);
  }
}

test("whatever happens meanwhile, one generation serves, and its rows are those of the log", async () => {
  const states = new Map<string, number>();
  let crashes = 0;
  await fc.assert(
    fc.asyncProperty(course, async (given) => {
      const { seed, before, during, undo, projection } = given;
      await using stage = await new RebuildStage(seed).open();
      await write(stage, before);
      await stage.work([projection]);
      const { signal } = new AbortController();
      await stage.until("something serves", async () => {
        return (await stage.generations.list(projection.name)).length > 0;
      });
      const id = await stage.start(projection);
      const others = [write(stage, during), steer(stage, id, given), move(stage, given)];
      let state = await conductAll(stage, id, given);
      await Promise.all(others);
      expect(["swapped", "abandoned"]).toContain(state);
      await expectSound(stage, projection);
      if (state === "swapped" && undo) {
        await stage.rebuilds.wish(id, "undo");
        const writing = write(stage, during);
        state = await conductAll(stage, id, given);
        await writing;
        expect(state).toBe("undone");
        await expectSound(stage, projection);
      }
      await stage.clock.sleep(120_000);
      await sweep(stage.environment(), signal);
      expect(await stage.generations.list(projection.name)).toMatchObject([{ role: "serving" }]);
      await expectSound(stage, projection);
      states.set(state, (states.get(state) ?? 0) + 1);
      crashes += stage.crashes;
    }),
    { numRuns: 60 },
  );
  // The journeys went everywhere.
  expect([...states.keys()].sort()).toEqual(["abandoned", "swapped", "undone"]);
  expect(crashes).toBeGreaterThan(20);
});
