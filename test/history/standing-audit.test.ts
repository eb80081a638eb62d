import { expect, test } from "vitest";

import { defaultStandingAuditLimits, StandingAudit } from "../../engine/history/standing-audit.ts";
import { MemoryDrifts } from "../../engine/memory/drifts.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import type { AnyRow } from "../../engine/columns.ts";
import { happened } from "../../engine/testing/given.ts";
import { DigestDeltas } from "../../engine/digest.ts";
import { storedColumns } from "../../engine/task/pipeline.ts";
import { board, Moved, Opened } from "../engine/seats.ts";
import { PastWorld } from "./past-world.ts";
import { ToldMetrics } from "./told-metrics.ts";

const keys = Array.from({ length: 300 }, (_, at) => `code-${at}`);

async function stageOfTest() {
  const world = await PastWorld.open();
  await world.happen(...keys.map((code) => happened(Opened, { code, size: 3 })));
  await world.happen(...keys.map((code) => happened(Moved, { code, by: 1 })));
  await world.publish();
  const generation = await world.follow(board);
  const { clock, generations, comparisons } = world;
  const drifts = new MemoryDrifts({ clock, generations });
  const metrics = new ToldMetrics();
  const reports: string[] = [];
  const past = world.history();
  const audit = new StandingAudit({
    ...world.source,
    ...defaultStandingAuditLimits,
    // The clock stands still: nothing may wait for it.
    rowsPerSecond: Number.POSITIVE_INFINITY,
    keysPerSecond: Number.POSITIVE_INFINITY,
    keysPerPass: 2,
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
  return { world, generation, audit, drifts, metrics, reports, write };
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

test("a row that was planted is named as extra, and one that was deleted shows in its bucket", async () => {
  const { audit, drifts, write } = await stageOfTest();
  await write("planted", { ...right, code: "planted" });
  await write("code-9", undefined);
  const pass = await audit.pass(board);
  expect(pass?.driftedKeys).toEqual(["planted"]);
  expect(pass?.buckets).toHaveLength(2);
  expect(await drifts.list()).toMatchObject([{ key: "planted", kind: "extra" }]);
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
  const { store } = world;
  const next = await store.createGeneration({
    projection: "board",
    version: 1,
    columns: board.row,
    indexes: [],
    topics: [{ name: "counters", partitions: 4 }],
  });
  await store.serve(next);
  expect(next.generation).not.toBe(generation.generation);
  expect(await drifts.list()).toEqual([]);
});
