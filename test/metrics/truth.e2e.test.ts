import { join } from "node:path";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { register, startInstance, type Instance } from "../e2e/refold-instance.ts";
import { refold, temporaryFolder, until } from "../e2e/refold-process.ts";

/**
 * What is told, beside what straight SQL says: events are counted in the store's own lanes, and
 * what is durable by the positions that are committed with the rows. Nothing here asks the log, the
 * monitor or the status board.
 */
const consumer = "seat-availability";
const topic = "module-events";

/** The log is asked for its ends once a second; a busy machine takes its time. */
const toleranceSeconds = 2.5;

async function sqlOf({ database }: Instance): Promise<Client> {
  const client = new Client({ connectionString: database });
  // The server is killed with its process in a crash.
  client.on("error", () => undefined);
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  return client;
}

interface Truth {
  readonly recorded: number;
  readonly durable: number;
  /** Since the first event that isn't durable was recorded; 0: all are. */
  readonly waitedSeconds: number;
}

async function truthOf(sql: Client): Promise<Truth> {
  const { rows } = await sql.query<Record<keyof Truth, string>>(
    `with durable as (
       select partition, coalesce(next_sequence, 1) as next_sequence from refold.positions p
       join refold.serving s on s.projection = p.consumer and s.generation = p.generation
       where p.consumer = $1 and p.topic = $2)
     select count(*) as recorded,
       count(*) filter (where e.sequence < d.next_sequence) as durable,
       coalesce(extract(epoch from clock_timestamp() - min(e.recorded_at)
         filter (where e.sequence >= d.next_sequence)), 0) as "waitedSeconds"
     from refold.events e join durable d using (partition) where e.topic = $2`,
    [consumer, topic],
  );
  const [{ recorded, durable, waitedSeconds } = {}] = rows;
  return {
    recorded: Number(recorded),
    durable: Number(durable),
    waitedSeconds: Number(waitedSeconds),
  };
}

interface Told {
  readonly lagRecords: number;
  readonly lagSeconds: number;
  readonly applied: number;
  /** Flushes whose oldest event was told as older than the bound. */
  readonly lateFlushes: (seconds: number) => number;
  readonly value: (name: string) => number;
}

async function toldBy({ http }: Instance): Promise<Told> {
  const text = await (await fetch(`${http}/metrics`)).text();
  const values = (name: string, labels = `consumer="${consumer}"`): number[] =>
    text
      .split("\n")
      .filter((line) => line.startsWith(`${name}{`) && line.includes(labels))
      .map((line) => Number(line.slice(line.lastIndexOf(" ") + 1)));
  const sum = (name: string, labels?: string): number =>
    values(name, labels).reduce((total, one) => total + one, 0);
  const freshness = "refold_freshness_seconds";
  return {
    lagRecords: sum("refold_lag_records"),
    lagSeconds: Math.max(0, ...values("refold_lag_seconds")),
    applied: sum("refold_records_applied_total"),
    lateFlushes: (seconds) =>
      sum(`${freshness}_count`) -
      [...text.matchAll(new RegExp(`^${freshness}_bucket\\{le="${seconds}",.*\\} (\\d+)$`, "gm"))]
        .filter(([line]) => line.includes(`consumer="${consumer}"`))
        .reduce((total, [, value]) => total + Number(value), 0),
    value: (name) => sum(name),
  };
}

async function offerModules(sql: Client, count: number): Promise<string[]> {
  const codes = Array.from({ length: count }, (_, at) => `M-${at}`);
  await sql.query(
    `insert into catalogue.modules (code, title, capacity, fee_cents)
     select code, 'Module', 1000, 0 from unnest($1::text[]) as code`,
    [codes],
  );
  const offered = async () => (await truthOf(sql)).recorded === count || undefined;
  await until(offered, 20_000, () => `${count} modules on offer`);
  return codes;
}

async function registerMany(instance: Instance, codes: readonly string[], run: string) {
  const answers = codes.flatMap((code) =>
    [1, 2, 3, 4].map((student) => register(instance.http, code, `${run}-${code}-${student}`)),
  );
  for (const { status } of await Promise.all(answers)) expect(status).toBe(201);
}

/** Holds the rows' table, so that no flush gets through. */
async function lockRows(instance: Instance): Promise<{ release: () => Promise<unknown> }> {
  const locking = await sqlOf(instance);
  await locking.query("begin");
  await locking.query(`lock table "read"."${consumer}__g1" in access exclusive mode`);
  return { release: () => locking.query("rollback") };
}

/** Nothing is on its way: what is told and what is so are both still. */
const untilAllDurable = (sql: Client, instance: Instance): Promise<Truth> =>
  until(
    async () => {
      const truth = await truthOf(sql);
      const told = await toldBy(instance);
      const still = truth.recorded === truth.durable && told.lagRecords === 0;
      return still ? truth : undefined;
    },
    30_000,
    () => "everything durable, and told so",
  );

async function verdict(folder: string): Promise<unknown> {
  const { out } = await refold(["status", "--json", "--data", folder]);
  const report = JSON.parse(out) as {
    consumers: { name: string; lagRecords: number; progress: { verdict: string } }[];
  };
  const found = report.consumers.find(({ name }) => name === consumer);
  return { verdict: found?.progress.verdict, lagRecords: found?.lagRecords };
}

test("lag, throughput and freshness are what SQL says: stalled, catching up, after a crash", async () => {
  const folder = join(await temporaryFolder(), "data");
  const instance = await startInstance(folder);
  const sql = await sqlOf(instance);
  const codes = await offerModules(sql, 20);
  await untilAllDurable(sql, instance);
  const before = await toldBy(instance);
  const begin = await truthOf(sql);

  // Stalled: nothing gets durable, whatever is recorded.
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

  // A crash in the middle: whoever starts next tells what was left, and applies just that.
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
  const told = await toldBy(again);
  expect(told.applied).toBe(left.recorded - left.durable);

  // A rebuild: the old rows serve until it is done, and it has folded what there is.
  const rebuilt = await refold(["rebuild", consumer, "--yes", "--data", folder]);
  expect(rebuilt.code).toBe(0);
  const swapped = async () => {
    const { value } = await toldBy(again);
    const isTold = value("refold_serving_generation") === 2 && value("refold_rebuild_open") === 0;
    return isTold || undefined;
  };
  await until(swapped, 15_000, () => "the new generation told as serving");
  const { rows } = await sqlAgain.query(
    "select generation from refold.serving where projection = $1",
    [consumer],
  );
  expect(rows).toEqual([{ generation: 2 }]);
  const quiet = await untilAllDurable(sqlAgain, again);
  expect(quiet.durable).toBe(left.recorded);
});
