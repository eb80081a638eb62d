import type { Pool, PoolClient } from "pg";

import {
  type BookedCharge,
  type BookedRefund,
  type ChargeEntry,
  chargeKeyOf,
  type RefundEntry,
  type SandboxBooks,
} from "./books.ts";
import { judgeRefunds } from "./refund-entries.ts";

interface ChargeRow {
  readonly key: string;
  readonly payment_id: string;
  readonly amount_cents: number;
  readonly refused: string | null;
  readonly at: Date;
  readonly tell_at: Date | null;
  readonly answers_lost: number;
  readonly asked: number;
}

interface RefundRow {
  readonly key: string;
  readonly reference: string;
  readonly amount_cents: number;
}

/**
 * Asking again only counts. Keys are sorted, so that two statements with the same keys wait for
 * each other instead of for ever. What is booked now is as it was given: only what was booked
 * before comes back.
 */
const chargeText = `
  with booked as (insert into sandbox.charges as booked
    (key, payment_id, amount_cents, refused, at, tell_at, answers_lost, asked)
  select *, 1 from unnest($1::text[], $2::text[], $3::integer[], $4::text[],
                          $5::timestamptz[], $6::timestamptz[], $7::integer[]) as entry (key)
  order by entry.key
  on conflict (key) do update set asked = booked.asked + 1
  returning *) select * from booked where asked > 1`;

const dueText = `
  update sandbox.charges set tell_at = $1::timestamptz + $2::integer * interval '1 millisecond'
  where key in (select key from sandbox.charges where tell_at <= $1::timestamptz
                order by tell_at limit $3 for update skip locked)
  returning *`;

/** The books as tables in Postgres, in transactions of their own. */
export class PostgresBooks implements SandboxBooks {
  readonly #pool: Pool;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
  }

  async charge(entries: readonly ChargeEntry[]): Promise<readonly BookedCharge[]> {
    // A statement can't touch a row twice: of entries with one key, the first is booked.
    const distinct = [...Map.groupBy(entries, ({ key }) => key).values()].flatMap(([one]) =>
      one === undefined ? [] : [one],
    );
    const { rows } = await this.#pool.query<ChargeRow>({
      name: "sandbox-charge",
      text: chargeText,
      values: [
        distinct.map(({ key }) => key),
        distinct.map(({ paymentId }) => paymentId),
        distinct.map(({ amountCents }) => amountCents),
        distinct.map(({ refused }) => refused ?? null),
        distinct.map(({ atMs }) => new Date(atMs)),
        distinct.map(({ tellAtMs }) => (tellAtMs === undefined ? null : new Date(tellAtMs))),
        distinct.map(({ answersLost }) => answersLost),
      ],
    });
    const booked = new Map(rows.map((row) => [row.key, chargeOf(row)]));
    const given = new Map(distinct.map((entry) => [entry.key, entry]));
    return entries.map(
      ({ key }) => booked.get(key) ?? { ...(given.get(key) as ChargeEntry), asked: 1 },
    );
  }

  async refund(entries: readonly RefundEntry[]): Promise<readonly BookedRefund[]> {
    const client = await this.#pool.connect();
    let broken = true;
    try {
      await client.query("begin");
      const answers = await refundIn(client, entries);
      await client.query("commit");
      broken = false;
      return answers;
    } finally {
      // The server rolls back what a connection leaves behind.
      client.release(broken);
    }
  }

  async due({ nowMs, leaseMs, limit }: Parameters<SandboxBooks["due"]>[0]) {
    const values = [new Date(nowMs), leaseMs, limit];
    const { rows } = await this.#pool.query<ChargeRow>({
      name: "sandbox-due",
      text: dueText,
      values,
    });
    return rows.map(chargeOf).sort((one, other) => one.atMs - other.atMs);
  }

  async told(keys: readonly string[]): Promise<void> {
    const text = "update sandbox.charges set tell_at = null where key = any($1)";
    await this.#pool.query({ text, values: [keys] });
  }

  async charges(): Promise<readonly BookedCharge[]> {
    const text = "select * from sandbox.charges order by key";
    return (await this.#pool.query<ChargeRow>(text)).rows.map(chargeOf);
  }

  async refunds(): Promise<readonly RefundEntry[]> {
    const text = "select * from sandbox.refunds order by key";
    return (await this.#pool.query<RefundRow>(text)).rows.map(refundOf);
  }
}

/** Under locks on the charges, so that refunds of one charge come one after the other. */
async function refundIn(
  client: PoolClient,
  entries: readonly RefundEntry[],
): Promise<readonly BookedRefund[]> {
  const references = [...new Set(entries.map(({ reference }) => reference))];
  const keys = references.flatMap((reference) => chargeKeyOf(reference) ?? []);
  const charges = await client.query<ChargeRow>(
    `select * from sandbox.charges where key = any($1) and refused is null
     order by key for update`,
    [keys],
  );
  const refunds = await client.query<RefundRow>(
    "select * from sandbox.refunds where reference = any($1)",
    [references],
  );
  const { answers, made } = judgeRefunds(entries, {
    charges: new Map(charges.rows.map((row) => [row.key, chargeOf(row)])),
    refunds: refunds.rows.map(refundOf),
  });
  await client.query(
    `insert into sandbox.refunds (key, reference, amount_cents)
     select * from unnest($1::text[], $2::text[], $3::integer[])`,
    [
      made.map(({ key }) => key),
      made.map(({ reference }) => reference),
      made.map(({ amountCents }) => amountCents),
    ],
  );
  return answers;
}

const chargeOf = (row: ChargeRow): BookedCharge => ({
  key: row.key,
  paymentId: row.payment_id,
  amountCents: row.amount_cents,
  refused: row.refused ?? undefined,
  atMs: row.at.getTime(),
  tellAtMs: row.tell_at?.getTime(),
  answersLost: row.answers_lost,
  asked: row.asked,
});

const refundOf = ({ key, reference, amount_cents: amountCents }: RefundRow): RefundEntry => ({
  key,
  reference,
  amountCents,
});
