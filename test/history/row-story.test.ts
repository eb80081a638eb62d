import { expect, test } from "vitest";

import { changedColumns } from "../../engine/history/changed-columns.ts";
import { rowStory, type RowStory } from "../../engine/history/row-story.ts";
import { ManualClock, SeededRandom } from "../../engine/memory/clock.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { MemoryReadModelReader } from "../../engine/memory/read-model-reader.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import type { AnyProjection, ErasedEventProjection } from "../../engine/projection.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { happened } from "../../engine/testing/given.ts";
import { TableStage } from "../../engine/testing/table-stage.ts";
import { moduleCatalogue } from "../../projections/module-catalogue/index.ts";
import { board, Closed, Moved, Opened } from "../engine/seats.ts";
import { PastWorld, renamedBoard, taggedBoard } from "./past-world.ts";

const captureGraceMs = 5_000;

async function played(projection: ErasedEventProjection) {
  const world = await PastWorld.open();
  await world.happen(
    happened(Opened, { code: "a", size: 3 }),
    happened(Opened, { code: "b", size: 9 }),
  );
  world.clock.advance(1_000);
  await world.happen(happened(Moved, { code: "a", by: 2 }), happened(Closed, { code: "b" }));
  await world.publish();
  await world.follow(projection);
  const reader = new MemoryReadModelReader({ store: world.store });
  const why = (key: string, ask: { atMs?: number; stepsMax?: number } = {}): Promise<RowStory> =>
    rowStory({ ...world.source, reader, captureGraceMs }, projection, {
      key,
      stepsMax: 10,
      ...ask,
    });
  return { world, why };
}

const told = (projection: AnyProjection, { steps }: RowStory) =>
  steps.map(({ by, before, after }) => [by, changedColumns(projection, before, after)]);

test.each([
  ["the event store", taggedBoard, "a", "event store"],
  ["the log", board, "a", "log"],
  ["the log, all partitions of it", renamedBoard, "row of a", "log"],
] as const)("tells what each event changed, from %s", async (_, projection, key, source) => {
  const { why } = await played(projection);
  const story = await why(key);
  expect(told(projection, story)).toEqual([
    [
      "Opened",
      [
        { column: "code", before: null, after: "a" },
        { column: "size", before: null, after: 3 },
        { column: "held", before: null, after: 0 },
        { column: "moves", before: null, after: 0 },
      ],
    ],
    [
      "Moved",
      [
        { column: "held", before: 0, after: 2 },
        { column: "moves", before: 0, after: 1 },
      ],
    ],
  ]);
  const row = { code: "a", size: 3, held: 2, moves: 1 };
  expect(story).toMatchObject({ source, earlier: 0, row });
  expect(story.stored).toMatchObject({ row, expected: row, differs: false });
});

test("names the events that the event store told, with their correlation", async () => {
  const { why } = await played(taggedBoard);
  const { steps } = await why("a");
  expect(steps.map(({ event }) => [event?.id, event?.correlationId])).toEqual([
    ["event-0", "event-0"],
    ["event-2", "event-2"],
  ]);
});

test("tells that a row is gone, and by what", async () => {
  const { why } = await played(taggedBoard);
  const story = await why("b");
  expect(story.steps.map(({ by }) => by)).toEqual(["Opened", "Closed"]);
  expect(story.row).toBeUndefined();
  expect(story.stored).toMatchObject({ row: undefined, differs: false });
});

test("an event that the read model has not come to is told as such, and is no difference", async () => {
  const { world, why } = await played(taggedBoard);
  await world.happen(happened(Moved, { code: "a", by: 5 }));
  const story = await why("a");
  expect(story.steps.map(({ isApplied }) => isApplied)).toEqual([true, true, false]);
  expect(story.row).toMatchObject({ held: 7 });
  expect(story.stored).toMatchObject({ expected: { held: 2 }, differs: false });
});

test("a row that others have changed differs from what its events make", async () => {
  const { world } = await played(taggedBoard);
  const reader = new MemoryReadModelReader({ store: world.store });
  const spoilt = {
    get: async (projection: string, key: string) => {
      const answer = await reader.get(projection, key);
      return { ...answer, result: answer.result && { ...answer.result, held: 99 } };
    },
  };
  const options = { ...world.source, reader: spoilt, captureGraceMs };
  const { stored } = await rowStory(options, taggedBoard, { key: "a", stepsMax: 10 });
  expect(stored).toMatchObject({ differs: true, row: { held: 99 }, expected: { held: 2 } });
});

test("tells the row of a time of the past by what was recorded until then", async () => {
  for (const projection of [taggedBoard, board]) {
    const { world, why } = await played(projection);
    world.clock.advance(60_000);
    const story = await why("a", { atMs: 1_500 });
    expect(story.steps.map(({ by }) => by)).toEqual(["Opened"]);
    expect(story).toMatchObject({ row: { held: 0 }, stored: undefined });
  }
});

test("tells the last steps, and counts the others", async () => {
  const { world, why } = await played(taggedBoard);
  await world.happen(...Array.from({ length: 50 }, () => happened(Moved, { code: "a", by: 1 })));
  const story = await why("a", { stepsMax: 3 });
  expect(story.steps).toHaveLength(3);
  expect(story.earlier).toBe(49);
  expect(story.row).toMatchObject({ held: 52, moves: 51 });
});

test("a row of a table is told by its changes in the log", async () => {
  const { from: topic, key } = moduleCatalogue;
  const stage = await TableStage.open({ topic, key });
  const row = { code: "MA101", title: "Sets", capacity: 1, fee_cents: 0 };
  const times = { opens_at: null, closes_at: null, updated_at: "2026-01-01T00:00:00Z" };
  for (const [at, capacity] of [1, 1, 5].entries()) {
    await stage.append({
      op: at === 0 ? "c" : "u",
      before: null,
      after: { ...row, ...times, capacity },
      sourceTimestampMs: 1_000 * (at + 1),
      commitLsn: BigInt(at + 1),
      order: 1,
      transactionId: String(at),
      snapshot: false,
    });
  }
  const clock = new ManualClock(100_000);
  const store = new MemoryReadModelStore();
  await store.open(readModelOf(moduleCatalogue));
  const { log, codec } = stage;
  const options = {
    log,
    codec,
    clock,
    captureGraceMs,
    eventStore: new MemoryEventStore({ clock }),
    random: new SeededRandom(1),
    reader: new MemoryReadModelReader({ store }),
  };
  const story = await rowStory(options, moduleCatalogue, { key: "MA101", stepsMax: 10 });
  const steps = told(moduleCatalogue, story);
  expect(steps.map(([by]) => by)).toEqual(["upsert", "upsert", "upsert"]);
  expect(steps[1]).toEqual(["upsert", []]);
  expect(steps[2]?.[1]).toEqual([{ column: "capacity", before: 1, after: 5 }]);
  expect(story.steps.map(({ isApplied }) => isApplied)).toEqual([false, false, false]);
});
