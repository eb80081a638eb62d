/**
 * What comes with appends, per second: of one process a payment each is asked for under a client's
 * key (an event, an effect, a deadline, an answer), taken by its performer, and settled (an event,
 * the effect's answer, the deadline cancelled), while many wait. The database syncs its log at every
 * commit. That each payment has its answer, its effect done and no deadline left is checked first.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Pool } from "pg";

import {
  makePool,
  migrate,
  PostgresDeadlines,
  PostgresEffectLedger,
  PostgresEventStore,
} from "../connectors/postgres/index.ts";
import { engineMigrations } from "../connectors/postgres/schema.ts";
import type { Alongside } from "../engine/ports/alongside.ts";
import type { StoredEffect } from "../engine/ports/effect-ledger.ts";
import type { AppendRequest } from "../engine/ports/event-store.ts";
import { globalPosition } from "../engine/position.ts";
import { startEmbeddedPostgres } from "../stack/postgres/embedded-postgres.ts";
import { treeSeconds } from "./_processor-time.ts";

const payments = 30_000;
const waiting = 4_000;
const kind = "payment.charge";
const deadline = "payment-due";
const value = Buffer.alloc(200, 7);

const causeOf = (id: string) => ({ tags: [`payment:${id}`], correlationId: id });

function request(type: string, id: string, alongside: Alongside): AppendRequest {
  const [tag] = causeOf(id).tags;
  return {
    events: [
      {
        id: `${type}-${id}`,
        type: `refold.payments.${type}`,
        topic: "payment-events",
        partition: id.charCodeAt(id.length - 1) % 10,
        key: id,
        value,
        ...causeOf(id),
      },
    ],
    condition: [
      { tags: [tag as string], types: [`refold.payments.${type}`], after: globalPosition(0) },
    ],
    alongside,
  };
}

const asked = (id: string): AppendRequest =>
  request("PaymentRequested", id, {
    once: [
      {
        scope: "bench",
        key: id,
        fingerprint: "f".repeat(64),
        answer: { status: 201, id },
        events: [`PaymentRequested-${id}`],
      },
    ],
    effects: [
      {
        key: `${kind}/${id}`,
        kind,
        input: { paymentId: id, amountCents: 9_900, currency: "EUR" },
        secret: { token: "tok_ok" },
        ...causeOf(id),
      },
    ],
    deadlines: [{ change: "set", name: deadline, key: id, atMs: 2e12, ...causeOf(id) }],
  });

const settled = ({ key }: StoredEffect): AppendRequest => {
  const id = key.slice(kind.length + 1);
  return request("PaymentConfirmed", id, {
    settled: [{ key, answer: { outcome: "confirmed", chargeId: `ch_${id}` } }],
    deadlines: [{ change: "cancel", name: deadline, key: id }],
  });
};

async function append(store: PostgresEventStore, one: AppendRequest): Promise<void> {
  const { outcome } = await store.append(one, { as: "command" });
  if (outcome !== "appended") throw new Error(`A payment is ${outcome}.`);
}

async function ask(store: PostgresEventStore, round: string, count: number): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) await append(store, asked(`${round}-${next++}`));
  };
  await Promise.all(Array.from({ length: waiting }, client));
}

async function perform(store: PostgresEventStore, pool: Pool, count: number): Promise<void> {
  const ledger = new PostgresEffectLedger({ pool });
  for (let done = 0; done < count;) {
    const taken = await ledger.take({ kinds: [kind], limit: 1_000, leaseMs: 60_000 });
    await Promise.all(taken.map((one) => append(store, settled(one))));
    done += taken.length;
  }
}

async function measure(pool: Pool, round: string, count: number): Promise<string> {
  const store = new PostgresEventStore({ pool });
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  const serverBefore = treeSeconds(server.pid) ?? Number.NaN;
  await Promise.all([ask(store, round, count), perform(store, pool, count)]);
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const serverSeconds = (treeSeconds(server.pid) ?? Number.NaN) - serverBefore;
  await check(pool, round, count);
  const perSecond = Math.round(count / seconds).toLocaleString("en");
  const own = ((user + system) / count).toFixed(0);
  const servers = ((serverSeconds * 1e6) / count).toFixed(0);
  return `${perSecond} payments/s; of processor time each ${own} µs here, ${servers} µs of Postgres`;
}

async function check(pool: Pool, round: string, count: number): Promise<void> {
  const { rows } = await pool.query<Record<string, bigint>>(
    `select (select count(*) from refold.events where key like $1) as events,
       (select count(*) from refold.effects e join refold.done_effects d on d.effect_id = e.id
        where key like $2) as done,
       (select count(*) from refold.open_effects) as open,
       (select count(*) from refold.idempotency_keys where key like $1) as answers`,
    [`${round}-%`, `${kind}/${round}-%`],
  );
  const left = await new PostgresDeadlines({ pool }).nextAtMs([deadline]);
  const [found] = rows;
  const { events, done, open, answers } = found ?? {};
  const n = BigInt(count);
  if (events !== 2n * n || done !== n || open !== 0n || answers !== n || left !== undefined) {
    throw new Error(
      `Of ${count} payments there are ${events} events, ${done} effects done and ${open} open, ` +
        `${answers} answers, and a deadline at ${left}.`,
    );
  }
}

const folder = await mkdtemp(join(tmpdir(), "refold-bench-"));
await chmod(folder, 0o755);
const server = await startEmbeddedPostgres({ folder });
const pool = makePool({ url: server.url, name: "bench", connectionsMax: 8 });
try {
  await migrate(pool, engineMigrations());
  await measure(pool, "warm", 3_000);
  console.log(`payments asked for and settled: ${await measure(pool, "many", payments)}`);
} finally {
  await pool.end();
  await server.stop("fast");
  await rm(folder, { recursive: true, force: true });
}
