import { join } from "node:path";

import type { Client } from "pg";
import { expect, test } from "vitest";

import { ask, startInstance, type Instance } from "../e2e/refold-instance.ts";
import { temporaryFolder, until } from "../e2e/refold-process.ts";
import {
  consumer,
  lockRows,
  offerModules,
  rebuildTruthOf,
  type RebuildTruth,
  registerMany,
  sqlOf,
  toldBy,
  truthOf,
  untilAllDurable,
  verdict,
} from "./truth.ts";

/** The log is asked for its ends once a second; a busy machine takes its time. */
const toleranceSeconds = 2.5;

interface Stage {
  readonly folder: string;
  readonly instance: Instance;
  readonly sql: Client;
  readonly codes: readonly string[];
}

/** Nothing gets durable, whatever is recorded; then all of it does. */
async function stallAndCatchUp({ folder, instance, sql, codes }: Stage): Promise<void> {
  const before = await toldBy(instance);
  const begin = await truthOf(sql);
  const lock = await lockRows(instance);
  await registerMany(instance, codes, "stall");
  const stalled = await until(
    async () => {
      const truth = await truthOf(sql);
      const told = await toldBy(instance);
      const same = told.lagRecords === truth.recorded - truth.durable && told.lagRecords > 0;
      return same && truth.waitedSeconds > 4 ? { truth, told } : undefined;
    },
    20_000,
    () => "a lag in records that is the store's own",
  );
  expect(stalled.told.applied).toBe(before.applied);
  expect(stalled.truth.durable).toBe(begin.durable);
  const apart = Math.abs(stalled.told.lagSeconds - stalled.truth.waitedSeconds);
  expect(apart).toBeLessThan(toleranceSeconds);
  expect(await verdict(folder)).toEqual({
    verdict: "stalled",
    lagRecords: stalled.truth.recorded - stalled.truth.durable,
  });

  // Catching up: all of it counts once, and its flushes were late by what it has waited.
  const waited = (await truthOf(sql)).waitedSeconds;
  await lock.release();
  const caughtUp = await untilAllDurable(sql, instance);
  const after = await toldBy(instance);
  expect(after.applied - before.applied).toBe(caughtUp.durable - begin.durable);
  expect(waited).toBeGreaterThan(2.5);
  expect(after.lateFlushes(2.5) - before.lateFlushes(2.5)).toBeGreaterThan(0);
  expect(after.lagSeconds).toBe(0);
  expect(await verdict(folder)).toEqual({ verdict: "ok", lagRecords: 0 });
}

/** Killed in the middle: whoever starts next tells what was left, and applies just that. */
async function crash({ folder, instance, sql, codes }: Stage): Promise<Stage> {
  await lockRows(instance);
  await registerMany(instance, codes, "crash");
  const left = await truthOf(sql);
  expect(left.recorded).toBeGreaterThan(left.durable);
  instance.process.child.kill("SIGKILL");
  await instance.process.ended;
  const again = await startInstance(folder);
  const sqlAgain = await sqlOf(again);
  const healed = await untilAllDurable(sqlAgain, again);
  expect(healed.recorded).toBe(left.recorded);
  expect((await toldBy(again)).applied).toBe(left.recorded - left.durable);
  return { folder, instance: again, sql: sqlAgain, codes };
}

/** A rebuild that stands still tells so, while what serves is stalled and when it goes on. */
async function pauseRebuild({ folder, instance, sql, codes }: Stage): Promise<RebuildTruth> {
  const before = await toldBy(instance);
  const begin = await truthOf(sql);
  // What serves can't be held for a proof: the rebuild is still open when it is asked to pause.
  const lock = await lockRows(instance);
  await registerMany(instance, codes, "pause");
  await post(`${instance.http}/admin/rebuilds`, { projection: consumer });
  const { id = "" } = (await rebuildTruthOf(sql)) ?? {};
  await post(`${instance.http}/admin/rebuilds/${id}/pause`, {});
  const paused = await until(
    async () => {
      const truth = await rebuildTruthOf(sql);
      return truth?.waiting === "It is paused." ? truth : undefined;
    },
    20_000,
    () => "a paused rebuild",
  );
  await until(
    async () => ((await toldBy(instance)).value("refold_rebuild_open") === 1 ? true : undefined),
    10_000,
    () => "an open rebuild told",
  );
  await lock.release();
  const caughtUp = await untilAllDurable(sql, instance);
  expect(await rebuildTruthOf(sql)).toEqual(paused);
  const told = await until(
    async () => {
      const now = await toldBy(instance);
      return now.value("refold_rebuild_records_done") === paused.durable ? now : undefined;
    },
    10_000,
    () => `${paused.durable} records of the rebuild told as done`,
  );
  expect(told.applied - before.applied).toBe(caughtUp.durable - begin.durable);
  expect(told.value("refold_rebuild_records_per_second")).toBe(0);
  expect(told.value("refold_serving_generation")).toBe(1);
  expect(await verdict(folder)).toEqual({ verdict: "ok", lagRecords: 0 });
  return paused;
}

/** The old rows serve until it is done, and it has folded what there is. */
async function finishRebuild({ instance, sql }: Stage, { id }: RebuildTruth): Promise<void> {
  const before = await truthOf(sql);
  await post(`${instance.http}/admin/rebuilds/${id}/resume`, {});
  const swapped = async () => {
    const { value } = await toldBy(instance);
    const isTold = value("refold_serving_generation") === 2 && value("refold_rebuild_open") === 0;
    return isTold || undefined;
  };
  await until(swapped, 15_000, () => "the new generation told as serving");
  const { rows } = await sql.query("select generation from refold.serving where projection = $1", [
    consumer,
  ]);
  expect(rows).toEqual([{ generation: 2 }]);
  const quiet = await untilAllDurable(sql, instance);
  expect(quiet.durable).toBe(before.recorded);
}

async function post(url: string, body: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const asked = JSON.stringify({ ...body, reason: "To compare what is told." });
  const answer = await ask(url, { method: "POST", headers, body: asked });
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
}

test("lag, throughput and freshness are what SQL says: stalled, catching up, after a crash, while a rebuild is paused and when it is done", async () => {
  const folder = join(await temporaryFolder(), "data");
  const instance = await startInstance(folder);
  const sql = await sqlOf(instance);
  const codes = await offerModules(sql, 20);
  await untilAllDurable(sql, instance);
  const stage = { folder, instance, sql, codes };
  await stallAndCatchUp(stage);
  const again = await crash(stage);
  await finishRebuild(again, await pauseRebuild(again));
});
