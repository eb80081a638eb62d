import { Client } from "pg";
import { expect, onTestFinished } from "vitest";

import { register, type Instance } from "../e2e/refold-instance.ts";
import { refold, until } from "../e2e/refold-process.ts";

/**
 * What is told, beside what straight SQL says: events are counted in the store's own lanes, and
 * what is durable by the positions that are committed with the rows. Nothing here asks the log, the
 * monitor or the status board.
 */
export const consumer = "seat-availability";
const topic = "module-events";

export async function sqlOf({ database }: Instance): Promise<Client> {
  const client = new Client({ connectionString: database });
  // The server is killed with its process in a crash.
  client.on("error", () => undefined);
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  return client;
}

export interface Truth {
  readonly recorded: number;
  readonly durable: number;
  /** Since the first event that isn't durable was recorded; 0: all are. */
  readonly waitedSeconds: number;
}

export async function truthOf(sql: Client): Promise<Truth> {
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

export interface Told {
  readonly lagRecords: number;
  readonly lagSeconds: number;
  readonly applied: number;
  /** Flushes whose oldest event was told as older than the bound. */
  readonly lateFlushes: (seconds: number) => number;
  readonly value: (name: string) => number;
}

export async function toldBy({ http }: Instance): Promise<Told> {
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

export async function offerModules(sql: Client, count: number): Promise<string[]> {
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

export async function registerMany(instance: Instance, codes: readonly string[], run: string) {
  const wishes = codes.flatMap((code) =>
    [1, 2, 3, 4].map((student) => registered(instance, code, `${run}-${code}-${student}`)),
  );
  await Promise.all(wishes);
}

/** A server without a free processor refuses for a moment; who asks again gets its seat. */
const registered = (instance: Instance, code: string, student: string): Promise<true> =>
  until(
    async () => {
      const { status } = await register(instance.http, code, student);
      if (status === 503) return undefined;
      expect(status).toBe(201);
      return true as const;
    },
    20_000,
    () => `${student} registered for ${code}`,
  );

/** Holds the rows' table, so that no flush gets through. */
export async function lockRows(instance: Instance): Promise<{ release: () => Promise<unknown> }> {
  const locking = await sqlOf(instance);
  await locking.query("begin");
  await locking.query(`lock table "read"."${consumer}__g1" in access exclusive mode`);
  return { release: () => locking.query("rollback") };
}

/** Nothing is on its way: what is told and what is so are both still. */
export const untilAllDurable = (sql: Client, instance: Instance): Promise<Truth> =>
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

export async function verdict(folder: string): Promise<unknown> {
  const { out } = await refold(["status", "--json", "--data", folder]);
  const report = JSON.parse(out) as {
    consumers: { name: string; lagRecords: number; progress: { verdict: string } }[];
  };
  const found = report.consumers.find(({ name }) => name === consumer);
  return { verdict: found?.progress.verdict, lagRecords: found?.lagRecords };
}

/** What is written down of the last rebuild, and how far the generation is that it fills. */
export interface RebuildTruth {
  readonly id: string;
  readonly state: string;
  readonly waiting: string | null;
  /** Records up to where the shadow's rows are durable. */
  readonly durable: number;
}

export async function rebuildTruthOf(sql: Client): Promise<RebuildTruth | undefined> {
  const { rows } = await sql.query<RebuildTruth>(
    `select r.id::text as id, r.state, r.progress->>'waiting' as waiting,
       (select coalesce(sum(p.next_offset), 0)::int4 from refold.positions p
        where p.consumer = r.projection and p.generation = r.shadow) as durable
     from refold.rebuilds r where r.projection = $1 order by r.id desc limit 1`,
    [consumer],
  );
  return rows[0];
}
