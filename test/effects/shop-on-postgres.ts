import type { Pool } from "pg";

import { PostgresDeadlines } from "../../connectors/postgres/deadlines/index.ts";
import { PostgresEffectLedger } from "../../connectors/postgres/effect-ledger/index.ts";
import { PostgresEventStore } from "../../connectors/postgres/event-store/index.ts";
import { Decider } from "../../engine/decision/decider.ts";
import type { EffectOutcome, EffectTry } from "../../engine/effect.ts";
import { DeadlineDesk } from "../../engine/effects/deadline-desk.ts";
import { EffectRunner } from "../../engine/effects/effect-runner.ts";
import { TransientError } from "../../engine/errors.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { realClock, realRandom } from "../engine/process.ts";
import { charge, type ChargeInput, orderDue, orders, recordCharge } from "./shop.ts";

/** Schema ids follow from the order of preparing: every process has the same. */
export async function shopDecider(pool: Pool): Promise<Decider> {
  const codec = new JsonCodec();
  await codec.prepare(orders);
  const eventStore = new PostgresEventStore({ pool, metrics: noMetrics });
  const ports = { codec, clock: realClock, random: realRandom, metrics: noMetrics };
  return new Decider({ ...ports, eventStore, as: "processor" });
}

/** The bank keeps its own books, in transactions of its own; orders of 0 cents get no answer. */
export const bankTables = `
  create table bank_charges (key text primary key);
  create table bank_requests (key text not null)`;

const askBank =
  (pool: Pool) =>
  async ({ key, input }: EffectTry<ChargeInput>): Promise<EffectOutcome> => {
    await pool.query("insert into bank_requests values ($1)", [key]);
    if (input.cents === 0) throw new TransientError("no-answer", "The bank says nothing.");
    await pool.query("insert into bank_charges values ($1) on conflict do nothing", [key]);
    // The other side takes its time, so that a kill meets tries under way.
    await realClock.sleep(20);
    return { answer: key, follows: { call: recordCharge({ order: input.order, charge: key }) } };
  };

/** Performs effects and waits for deadlines, as one process among several does. */
export async function workShop(pool: Pool): Promise<AsyncDisposable> {
  const decider = await shopDecider(pool);
  const { wakeUps } = decider;
  const ports = { decider, wakeUps, clock: realClock, random: realRandom, metrics: noMetrics };
  const effects = new EffectRunner({
    ...ports,
    work: {
      ledger: new PostgresEffectLedger({ pool }),
      performers: [charge.performedBy(askBank(pool))],
      limits: {
        batchMax: 20,
        concurrencyMax: 20,
        tryTimeoutMs: 800,
        leaseMs: 1_000,
        backoff: { initialMs: 100, maxMs: 500, attemptsMax: 1_000 },
        pollMs: 50,
      },
    },
  });
  const deadlines = new DeadlineDesk({
    ...ports,
    work: {
      store: new PostgresDeadlines({ pool }),
      eventStore: new PostgresEventStore({ pool, metrics: noMetrics }),
      types: [orderDue],
      limits: { pollMs: 50, batchMax: 10 },
    },
  });
  void effects.run();
  void deadlines.run();
  return {
    [Symbol.asyncDispose]: async () => {
      await Promise.all([effects.stop(), deadlines.stop()]);
    },
  };
}
