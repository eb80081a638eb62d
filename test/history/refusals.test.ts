import { expect, test } from "vitest";

import { PastModels } from "../../engine/history/read-model-at.ts";
import { MemorySnapshots } from "../../engine/memory/snapshots.ts";
import { offset } from "../../engine/position.ts";
import { happened } from "../../engine/testing/given.ts";
import { board, Moved, Opened, tally } from "../engine/seats.ts";
import { PastWorld, renamedBoard, taggedBoard } from "./past-world.ts";
import { snapshotNow } from "./snapshot-now.ts";

const opened = (code: string) => happened(Opened, { code, size: 3 });
const moved = (code: string) => happened(Moved, { code, by: 1 });

async function busy(): Promise<PastWorld> {
  const world = await PastWorld.open();
  await world.happen(opened("a"), opened("b"));
  await world.publish();
  world.clock.advance(1_000);
  return world;
}

test("a time of which the log lacks an event is not settled, until the event is there", async () => {
  const world = await busy();
  await world.happen(moved("a"));
  world.clock.advance(1_000);
  using past = world.history();
  const ask = (name: string) => past.rowAsOf(name, "a", 2_000);
  await expect(ask(board.name)).rejects.toMatchObject({ code: "at-not-settled" });
  await expect(past.reader(2_000).find(tally.name, { limit: 1 })).rejects.toMatchObject({
    code: "at-not-settled",
  });
  // The event store knows its own.
  expect((await ask(taggedBoard.name)).row).toMatchObject({ moves: 1 });
  await world.publish();
  expect((await ask(board.name)).row).toMatchObject({ moves: 1 });
});

test("an event that is recorded later than asked doesn't keep a time from being settled", async () => {
  const world = await busy();
  await world.publish();
  world.clock.advance(1_000);
  await world.happen(moved("a"));
  await world.publish();
  world.clock.advance(1);
  using past = world.history();
  expect((await past.rowAsOf(board.name, "a", 2_999)).row).toMatchObject({ moves: 0 });
});

test("the millisecond of now is not settled, and what lies ahead is refused as such", async () => {
  const world = await busy();
  using past = world.history();
  for (const name of [board.name, taggedBoard.name]) {
    await expect(past.rowAsOf(name, "a", 2_000)).rejects.toMatchObject({ code: "at-not-settled" });
    await expect(past.rowAsOf(name, "a", 2_001)).rejects.toMatchObject({ code: "at-in-future" });
  }
});

test("what retention has taken is refused, and told from a snapshot that stands after it", async () => {
  const world = await busy();
  await snapshotNow(world);
  await world.happen(moved("a"));
  await world.publish();
  world.clock.advance(1_000);
  const [taken] = await world.snapshots.list(board.name);
  const before = taken?.positions.map((at) => [at.partition, at.position.nextOffset] as const);
  await world.log.deleteBefore("counters", new Map(before));
  using past = world.history();
  using blind = world.history({ snapshots: new MemorySnapshots(world) });
  for (const { name } of [board, renamedBoard]) {
    const key = name === board.name ? "a" : "row of a";
    expect((await past.rowAsOf(name, key, 2_500)).row).toMatchObject({ moves: 1 });
    await expect(blind.rowAsOf(name, key, 2_500)).rejects.toMatchObject({ code: "history-gone" });
    await expect(past.rowAsOf(name, key, 999)).rejects.toMatchObject({ code: "history-gone" });
  }
  await expect(blind.reader(2_500).find(board.name, { limit: 1 })).rejects.toThrow(
    /counters\/\d from 0 to \d/,
  );
});

test("a list with more rows than may be held is refused by name", async () => {
  const world = await busy();
  const limits = { rowsMax: 1, modelsMax: 2, keepMs: 1_000, captureGraceMs: 0 };
  using models = new PastModels({ ...world.source, ...limits });
  await expect(models.asOf(board, 1_500)).rejects.toMatchObject({ code: "history-too-large" });
});

test("so many lists are held at once, and each is folded once for all who ask", async () => {
  const world = await busy();
  world.clock.advance(10_000);
  let folds = 0;
  const log = world.log;
  const source = {
    ...world.source,
    log: {
      topics: () => log.topics(),
      bounds: (topic: string) => log.bounds(topic),
      offsetsAt: (topic: string, ms: number) => log.offsetsAt(topic, ms),
      read: (options: Parameters<typeof log.read>[0]) => {
        // Looks at a partition's end don't say how much they want.
        folds += options.fetchBytesMax === undefined ? 0 : 1;
        return log.read(options);
      },
    },
  };
  const limits = { rowsMax: 10, modelsMax: 1, keepMs: 1_000, captureGraceMs: 0 };
  using models = new PastModels({ ...source, ...limits });
  const [one, same] = await Promise.all([models.asOf(board, 1_500), models.asOf(board, 1_500)]);
  expect(one).toBe(same);
  expect(folds).toBe(1);
  const pending = models.asOf(board, 1_600);
  await expect(models.asOf(board, 1_700)).rejects.toMatchObject({ code: "history-busy" });
  await pending;
  world.clock.advance(1_000);
  await new Promise(setImmediate);
  await models.asOf(board, 1_600);
  expect(folds).toBe(3);
});

test("a row at exact positions is the same from the log, from tags, and on from where it was", async () => {
  const world = await busy();
  const before = await world.follow(board);
  const atOf = async () =>
    (await world.store.positions(before)).flatMap(({ position, ...at }) =>
      position ? [{ ...at, position }] : [],
    );
  const early = await atOf();
  await world.happen(moved("a"), moved("a"));
  await world.publish();
  await world.follow(board);
  const late = await atOf();
  await world.happen(moved("a"));
  await world.publish();
  using past = world.history();
  const partition = late.find(({ position }) => position.nextOffset > offset(1))?.partition ?? 0;
  const only = (all: typeof late) => all.filter((at) => at.partition === partition);
  for (const name of [board.name, taggedBoard.name]) {
    const of = { projection: name, generation: 1 };
    const ask = { of, key: "a", partition };
    const first = await past.rows.rowAt({ ...ask, at: only(early) });
    expect(first).toMatchObject({ moves: 0 });
    const then = await past.rows.rowAt({ ...ask, at: only(late) });
    expect(then).toMatchObject({ moves: 2 });
    const since = { row: first, at: only(early) };
    expect(await past.rows.rowAt({ ...ask, at: only(late), since })).toEqual(then);
    expect(await past.rows.rowAt({ ...ask, key: "nobody", at: only(late) })).toBeUndefined();
  }
});
