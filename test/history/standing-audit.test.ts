import { expect, test } from "vitest";

import {
  defaultStandingAuditLimits,
  StandingAudit,
  type StandingAuditLimits,
} from "../../engine/history/standing-audit.ts";
import type { HistorySource } from "../../engine/history/source.ts";
import { MemoryDrifts } from "../../engine/memory/drifts.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import type { AnyRow } from "../../engine/columns.ts";
import { happened } from "../../engine/testing/given.ts";
import { DigestDeltas } from "../../engine/digest.ts";
import { storedColumns } from "../../engine/task/pipeline.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { board, Moved, Opened } from "../engine/seats.ts";
import { PastWorld } from "./past-world.ts";
import { ToldMetrics } from "./told-metrics.ts";

const keys = Array.from({ length: 300 }, (_, at) => `code-${at}`);

async function stageOfTest(limits: Partial<StandingAuditLimits> = {}) {
  const world = await PastWorld.open();
  await world.happen(...keys.map((code) => happened(Opened, { code, size: 3 })));
  await world.happen(...keys.map((code) => happened(Moved, { code, by: 1 })));
  await world.publish();
  const generation = await world.follow(board);
  const { clock, generations, comparisons } = world;
  const drifts = new MemoryDrifts({ clock, generations });
  const metrics = new ToldMetrics();
  const reports: string[] = [];
  const reads = { count: 0 };
  const { log } = world;
  const counted: HistorySource["log"] = {
    topics: () => log.topics(),
    bounds: (topic) => log.bounds(topic),
    offsetsAt: (topic, timestampMs) => log.offsetsAt(topic, timestampMs),
    read: (options) => {
      reads.count += 1;
      return log.read(options);
    },
  };
  const past = world.history({ log: counted });
  const audit = new StandingAudit({
    ...world.source,
    log: counted,
    ...defaultStandingAuditLimits,
    // The clock stands still: nothing may wait for it.
    rowsPerSecond: Number.POSITIVE_INFINITY,
    keysPerSecond: Number.POSITIVE_INFINITY,
    recordsPerSecond: Number.POSITIVE_INFINITY,
    keysPerPass: 2,
    ...limits,
    comparisons,
    generations,
    drifts,
    metrics,
    rows: past.rows,
    projections: [board],
    isMine: () => true,
    report: (message) => reports.push(message),
  });
  const write = async (key: string, row: AnyRow | undefined): Promise<void> => {
    const nothing = { generation, advances: [], digests: [], notices: [], deadLetters: [] };
    await world.store.flush({ ...nothing, rows: [{ key, partition: partitionOf(key, 4), row }] });
  };
  return { world, generation, audit, drifts, metrics, reports, reads, write };
}

const wrong = { code: "code-7", size: 3, held: 99, moves: 1 };
const right = { code: "code-7", size: 3, held: 1, moves: 1 };

test("a pass over sound rows finds nothing, and counts what it has looked at", async () => {
  const { audit, drifts, metrics, reports } = await stageOfTest();
  const pass = await audit.pass(board);
  expect(pass).toEqual({ rows: 300, keys: 2, buckets: [], driftedKeys: [] });
  expect(await drifts.list()).toEqual([]);
  expect(reports).toEqual([]);
  expect(Object.fromEntries(metrics.values)).toEqual({
    audit_checked_rows_total: 300,
    audit_checked_keys_total: 2,
    audit_drift_keys: 0,
    audit_drift_buckets: 0,
  });
});

test("a row changed by hand is found by its bucket and named, until it is sound again", async () => {
  const { audit, drifts, metrics, reports, write } = await stageOfTest();
  await write("code-7", wrong);
  expect(await audit.pass(board)).toMatchObject({ driftedKeys: ["code-7"] });
  expect(await drifts.list()).toMatchObject([
    { projection: "board", generation: 1, key: "code-7", kind: "changed", fields: ["held"] },
  ]);
  expect(metrics.values.get("audit_drift_keys")).toBe(1);
  expect(reports[0]).toContain("code-7");
  await write("code-7", right);
  expect(await audit.pass(board)).toMatchObject({ driftedKeys: [], buckets: [] });
  expect(await drifts.list()).toEqual([]);
  expect(metrics.values.get("audit_drift_keys")).toBe(0);
});

test("a row that was planted is named as extra, and one that was deleted as missing", async () => {
  const { audit, drifts, write } = await stageOfTest();
  await write("planted", { ...right, code: "planted" });
  await write("code-9", undefined);
  const pass = await audit.pass(board);
  expect(pass?.driftedKeys.toSorted()).toEqual(["code-9", "planted"]);
  expect(pass?.buckets).toHaveLength(2);
  const found = (await drifts.list()).map(({ key, kind }) => [key, kind]);
  expect(found).toEqual([
    ["code-9", "missing"],
    ["planted", "extra"],
  ]);
  await write("code-9", { ...right, code: "code-9" });
  await write("planted", undefined);
  expect(await audit.pass(board)).toMatchObject({ driftedKeys: [], buckets: [] });
  expect(await drifts.list()).toEqual([]);
});

test("the log is folded once for what differs, while it differs by the same", async () => {
  const { audit, reads, write, world } = await stageOfTest({ keysPerPass: 0, suspectsPerPass: 1 });
  await write("code-9", undefined);
  const readsOfPass = async (): Promise<number> => {
    const before = reads.count;
    expect(await audit.pass(board)).toMatchObject({ driftedKeys: ["code-9"] });
    return reads.count - before;
  };
  const first = await readsOfPass();
  expect(await readsOfPass()).toBe(first - 1);
  await world.happen(happened(Moved, { code: "code-8", by: 1 }));
  await world.publish();
  await world.follow(board);
  expect(await readsOfPass()).toBe(first - 1);
  await write("code-7", undefined);
  await audit.pass(board);
  expect((await audit.pass(board))?.driftedKeys).toEqual(["code-7", "code-9"]);
});

test("what can't be held in memory is told once, and the rest is named", async () => {
  const { audit, reports, metrics, write } = await stageOfTest({ rowsMax: 1 });
  await write("code-7", wrong);
  await write("code-9", undefined);
  expect(await audit.pass(board)).toMatchObject({ driftedKeys: ["code-7"] });
  expect(reports[0]).toContain("Which rows of board are gone isn't known: history-too-large");
  await audit.pass(board);
  expect(metrics.values.get("audit_failures_total")).toBe(1);
});

test("long refolds keep to a number of records in a second", async () => {
  const { audit, world, write } = await stageOfTest({ keysPerPass: 0, recordsPerSecond: 100 });
  await write("code-9", undefined);
  const began = world.clock.monotonicMs();
  const state = { ended: false };
  const pass = audit.pass(board).finally(() => (state.ended = true));
  while (!state.ended) {
    world.clock.advance(100);
    await new Promise(setImmediate);
  }
  expect((await pass)?.driftedKeys).toEqual(["code-9"]);
  // All 600 records for the lost row.
  expect(world.clock.monotonicMs() - began).toBeGreaterThan(5_000);
});

test("a digest that lies is told as a bucket, where all its rows are sound", async () => {
  const { audit, world, generation } = await stageOfTest();
  const deltas = new DigestDeltas(storedColumns(board));
  deltas.change("code-7", right, wrong);
  const nothing = { generation, advances: [], rows: [], notices: [], deadLetters: [] };
  await world.store.flush({ ...nothing, digests: deltas.take() });
  const pass = await audit.pass(board);
  expect(pass?.driftedKeys).toEqual([]);
  expect(pass?.buckets).toHaveLength(1);
});

test("drift of a generation that no longer serves is not told any more", async () => {
  const { audit, drifts, world, generation, write } = await stageOfTest();
  await write("code-7", wrong);
  await audit.pass(board);
  const { store, generations } = world;
  const standing = await store.positions(generation);
  const positions = standing.flatMap(({ position, ...of }) =>
    position === undefined ? [] : [{ ...of, position }],
  );
  const next = await generations.create(readModelOf(board), { positions }, 1n);
  const { projection, generation: from } = generation;
  const to = next.generation;
  const verdict = await generations.swap({
    projection,
    from,
    to,
    condition: "level",
    keepMs: 60_000,
  });
  expect(verdict.outcome).toBe("swapped");
  expect(next.generation).not.toBe(generation.generation);
  expect(await drifts.list()).toEqual([]);
});
