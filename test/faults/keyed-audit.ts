import avsc from "avsc";
import type { Pool } from "pg";
import { expect } from "vitest";

import { enrolmentEvents, moduleEvents, paymentEvents } from "../../schemas/topics.ts";
import { IndependentFold, type StoredRow } from "./independent-fold.ts";
import type { Answer, KeyedClient } from "./keyed-client.ts";

/** A zero byte and the schema's id. */
const frameBytes = 5;

const types = new Map(
  [moduleEvents, paymentEvents, enrolmentEvents]
    .flatMap(({ events }): readonly { fullName: string; schema: object }[] => events)
    .map(({ fullName, schema }) => [fullName, avsc.Type.forSchema(schema as avsc.Schema)]),
);

type Fields = Readonly<Record<string, unknown>>;

/** What the store has, told without any code of the project's but its schemas. */
export interface Books {
  readonly seats: IndependentFold;
  /** Events of one type, as their fields. */
  readonly of: (name: string) => readonly Fields[];
  /** Payment ids of the sandbox's charges that were made. */
  readonly charged: readonly string[];
  /** Keys and cents of what it paid back. */
  readonly paidBack: ReadonlyMap<string, number>;
}

export async function booksOf(pool: Pool): Promise<Books> {
  const { rows } = await pool.query<StoredRow>(
    `select topic, partition, sequence::int, ce_id as id, ce_type as type,
       recorded_at as "recordedAt", value
     from refold.events order by topic, partition, sequence`,
  );
  const charges = await pool.query<{ id: string }>(
    "select payment_id as id from sandbox.charges where refused is null",
  );
  const refunds = await pool.query<{ key: string; cents: number }>(
    "select key, amount_cents as cents from sandbox.refunds",
  );
  return {
    seats: new IndependentFold(rows.filter(({ topic }) => topic === moduleEvents.name)),
    of: (name) => rows.filter(({ type }) => type.endsWith(`.${name}`)).map(fieldsOf),
    charged: charges.rows.map(({ id }) => id),
    paidBack: new Map(refunds.rows.map(({ key, cents }) => [key, cents])),
  };
}

function fieldsOf({ type, value }: StoredRow): Fields {
  const avro = types.get(type);
  if (avro === undefined) throw new Error(`Nobody knows the type ${type}.`);
  return avro.fromBuffer(value.subarray(frameBytes)) as Fields;
}

const idsOf = (events: readonly Fields[], name: string): readonly string[] =>
  events.map((event) => String(event[name])).toSorted();

/** Each accepted command was done once, and nothing was done that nobody was told of. */
export function compareWithAnswers({ of }: Books, { answered }: KeyedClient): void {
  const told = (route: RegExp, member: string): readonly string[] =>
    [...answered.values()]
      .filter(({ command, answer }) => route.test(command.path) && answer.status < 300)
      .filter(({ command }) => command.method === "POST")
      .map(({ answer }) => String(membersOf(answer)[member]))
      .toSorted();
  const registered = of("ModuleRegistered").filter(({ enrolmentId }) => enrolmentId === null);
  expect(idsOf(registered, "registrationId")).toEqual(told(/^\/registrations$/, "registrationId"));
  expect(idsOf(of("EnrolmentStarted"), "enrolmentId")).toEqual(
    told(/^\/enrolments$/, "enrolmentId"),
  );
  expect(idsOf(of("PaymentStarted"), "paymentId")).toEqual(told(/\/card$/, "paymentId"));
}

const membersOf = ({ text }: Answer): Fields => JSON.parse(text) as Fields;

/** Each enrolment has ended, with all of its seats or with none, and no seat is held. */
export function compareEnds({ of, seats }: Books): void {
  expect(seats.faults).toEqual([]);
  const held = [...seats.registrations.values()].filter(({ status }) => status === "held");
  expect(held).toEqual([]);
  const completed = new Set(idsOf(of("EnrolmentCompleted"), "enrolmentId"));
  const reversed = new Set(idsOf(of("EnrolmentReversed"), "enrolmentId"));
  const started = idsOf(of("EnrolmentStarted"), "enrolmentId");
  expect([...completed, ...reversed].toSorted()).toEqual(started);
  for (const { registrationId, enrolmentId } of of("ModuleRegistered")) {
    if (typeof enrolmentId !== "string") continue;
    const { status } = seats.registrations.get(String(registrationId)) ?? {};
    expect(status).toBe(completed.has(enrolmentId) ? "completed" : "cancelled");
  }
}

interface Part {
  readonly registrationId: string;
  readonly amountCents: number;
}

/** One charge of each confirmed payment, and one refund of each part whose seat was lost. */
export function comparePayments({ of, seats, charged, paidBack }: Books): void {
  const confirmed = idsOf(of("PaymentConfirmed"), "paymentId");
  expect(charged.toSorted()).toEqual(confirmed);
  expect(new Set(confirmed).size).toBe(confirmed.length);
  const wanted = of("PaymentRequested")
    .filter(({ paymentId }) => confirmed.includes(String(paymentId)))
    .flatMap(({ paymentId, registrations }) =>
      (registrations as readonly Part[])
        .filter(({ amountCents }) => amountCents > 0)
        .filter(({ registrationId: id }) => seats.registrations.get(id)?.status === "cancelled")
        .map(({ registrationId: id, amountCents: cents }): [string, number] => [
          `payment.refund/${String(paymentId)}/${id}`,
          cents,
        ]),
    );
  expect(Object.fromEntries(paidBack)).toEqual(Object.fromEntries(wanted));
  const recorded = of("PaymentRefunded").reduce(
    (sum, event) => sum + Number(event["amountCents"]),
    0,
  );
  expect(recorded).toBe([...paidBack.values()].reduce((sum, cents) => sum + cents, 0));
}
