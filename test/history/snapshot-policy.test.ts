import { expect, test } from "vitest";

import {
  defaultSnapshotLimits,
  SnapshotPolicy,
  type SnapshotPolicyLimits,
} from "../../engine/history/snapshot-policy.ts";
import { history } from "../engine/seats.ts";
import { board } from "../engine/seats.ts";
import { PastWorld } from "./past-world.ts";
import { ToldMetrics } from "./told-metrics.ts";

async function stageOfTest(limits: Partial<SnapshotPolicyLimits> = {}) {
  const world = await PastWorld.open();
  const metrics = new ToldMetrics();
  const reports: string[] = [];
  const { comparisons, generations, snapshots } = world;
  const policy = new SnapshotPolicy({
    ...defaultSnapshotLimits,
    everyRecords: 10,
    ...limits,
    ...world.source,
    comparisons,
    generations,
    snapshots,
    projections: [board],
    isMine: () => true,
    metrics,
    report: (message) => reports.push(message),
  });
  let seed = 0;
  /** So many records more are applied. */
  const apply = async (records: number) => {
    seed += 1;
    const numbers = Array.from({ length: records }, (_, at) => (seed * 7 + at * 3) % 40);
    await world.happen(...history(numbers));
    await world.publish();
    return world.follow(board);
  };
  const looked = async () => {
    await policy.look(board);
    return world.snapshots.list(board.name);
  };
  return { world, apply, looked, metrics, reports };
}

test("one is taken after so many records, and held against the log from the one before", async () => {
  const { apply, looked, metrics } = await stageOfTest();
  await apply(12);
  expect(await looked()).toMatchObject([{ id: 1n, audit: { from: "beginning" } }]);
  await apply(9);
  expect(await looked()).toHaveLength(1);
  await apply(1);
  expect(await looked()).toMatchObject([{ id: 2n, audit: { from: 1n } }, { id: 1n }]);
  expect(metrics.values.get("snapshots_audited_total")).toBe(2);
});

test("one is taken after so long when anything was applied, and only then", async () => {
  const { world, apply, looked } = await stageOfTest({ everyRecords: 1_000, everyMs: 60_000 });
  await apply(1);
  expect(await looked()).toHaveLength(1);
  world.clock.advance(60_000);
  expect(await looked()).toHaveLength(1);
  await apply(1);
  expect(await looked()).toHaveLength(2);
});

test("one that the log refutes is marked, told, and never begun from", async () => {
  const { world, apply, looked, metrics, reports } = await stageOfTest();
  const generation = await apply(12);
  const row = { code: "planted", size: 1, held: 1, moves: 1 };
  const nothing = { generation, advances: [], digests: [], notices: [], deadLetters: [] };
  await world.store.flush({ ...nothing, rows: [{ key: "planted", partition: 0, row }] });
  const [taken] = await looked();
  expect(taken?.audit).toBeUndefined();
  expect(taken?.refuted).toContain("planted");
  expect(reports[0]).toContain("refold audit board");
  expect(metrics.values.get("snapshots_refuted_total")).toBe(1);
  await world.store.flush({ ...nothing, rows: [{ key: "planted", partition: 0, row: undefined }] });
  await apply(12);
  expect((await looked())[0]).toMatchObject({ id: 2n, audit: { from: "beginning" } });
});

test("one that a process has taken and not audited before it died is audited by the next look", async () => {
  const { world, apply, looked } = await stageOfTest();
  const generation = await apply(12);
  await world.snapshots.take(generation);
  expect(await looked()).toMatchObject([{ id: 1n, audit: { from: "beginning" } }]);
});

test("the newest stay, and of older ones ever fewer", async () => {
  const { apply, looked } = await stageOfTest({ keep: 2 });
  for (let round = 0; round < 12; round += 1) {
    await apply(10);
    await looked();
  }
  const kept = (await looked()).map(({ records }) => records);
  expect(kept.slice(0, 2)).toEqual([120, 110]);
  expect(kept.length).toBeLessThanOrEqual(6);
  expect(kept.at(-1)).toBeLessThanOrEqual(20);
});

test("a read model with more rows than can be audited gets none, and is told once", async () => {
  const { apply, looked, reports } = await stageOfTest({ rowsMax: 1 });
  await apply(40);
  expect(await looked()).toEqual([]);
  expect(await looked()).toEqual([]);
  expect(reports).toHaveLength(1);
  expect(reports[0]).toContain("begin with the log's beginning");
});
