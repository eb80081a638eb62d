import type { Pool } from "pg";

import type { HeldSeat } from "./_held-seats.ts";

/** A registration, its payment and its charge, side by side. */
interface PaidRow {
  readonly registration_id: string;
  readonly module_code: string;
  readonly student_id: string;
  readonly fee_cents: number;
  readonly status: string;
  readonly completed_at: unknown;
  readonly payment_status: string;
  readonly payment_amount: number;
  readonly payment_student: string;
  readonly refunded: number;
  readonly charged: number;
  readonly asked: number;
  readonly refused: string | null;
}

/** What is the same for each: a payment's row names its registration, a charge its payment. */
const paidText = `
  select r.registration_id, r.module_code, r.student_id, r.fee_cents, r.status, r.completed_at,
    p.status as payment_status, p.amount_cents as payment_amount,
    p.student_id as payment_student, p.refunded_cents as refunded,
    c.amount_cents as charged, c.asked, c.refused
  from read."registrations" r
  left join read."payments" p on p.subject_type = 'REGISTRATION' and p.subject_id = r.registration_id
  left join sandbox.charges c on c.payment_id = p.payment_id`;

const countsText = `
  select (select count(*)::integer from sandbox.charges) as charges,
    (select count(*)::integer from sandbox.refunds) as refunds,
    (select count(*)::integer from read."payments") as payments,
    (select count(*)::integer from read."waiting-lists") as lines,
    (select count(*)::integer from refold.deadlines) as deadlines,
    (select count(*)::integer from refold.open_effects) as effects`;

const typesText = `
  select regexp_replace(ce_type, '.*[.]', '') as type, count(*)::integer as n
  from refold.events group by 1`;

/**
 * Holds all that was put in against the read models, the provider's books and the events.
 *
 * @throws Error naming the first difference.
 */
export async function assertPaid(pool: Pool, held: readonly HeldSeat[]): Promise<void> {
  const { rows } = await pool.query<PaidRow>(paidText);
  const byId = new Map(rows.map((row) => [row.registration_id, row]));
  assertSame("registrations with a payment and a charge each", rows.length, held.length);
  for (const seat of held) assertPaidSeat(seat, byId.get(seat.registrationId));
  await assertCounts(pool, held.length);
  await assertSeats(pool, held);
}

function assertPaidSeat(seat: HeldSeat, row: PaidRow | undefined): void {
  const { registrationId: id, moduleCode, studentId, feeCents } = seat;
  assertSame(`module of ${id}`, row?.module_code, moduleCode);
  assertSame(`student of ${id}`, row?.student_id, studentId);
  assertSame(`fee of ${id}`, row?.fee_cents, feeCents);
  assertSame(`status of ${id}`, row?.status, "completed");
  assertSame(`is the time told at which ${id} was completed`, row?.completed_at !== null, true);
  assertSame(`payment of ${id}`, row?.payment_status, "confirmed");
  assertSame(`payer of ${id}`, row?.payment_student, studentId);
  assertSame(`amount of ${id}`, row?.payment_amount, feeCents);
  assertSame(`paid back of ${id}`, row?.refunded, 0);
  assertSame(`charged for ${id}`, row?.charged, feeCents);
  assertSame(`refusal of ${id}`, row?.refused, null);
}

async function assertCounts(pool: Pool, all: number): Promise<void> {
  const counts = (await pool.query<Record<string, number>>(countsText)).rows[0];
  const none = { refunds: 0, lines: 0, deadlines: 0, effects: 0 };
  for (const [what, n] of Object.entries({ charges: all, payments: all, ...none })) {
    assertSame(what, counts?.[what], n);
  }
  const types = (await pool.query<{ type: string; n: number }>(typesText)).rows;
  const found = new Map(types.map(({ type, n }) => [type, n]));
  const each = [
    "ModuleRegistered",
    "PaymentRequested",
    "PaymentConfirmed",
    "RegistrationCompleted",
  ];
  for (const type of each) assertSame(`events ${type}`, found.get(type), all);
  assertSame("types of events", found.size, each.length + 1);
}

async function assertSeats(pool: Pool, held: readonly HeldSeat[]): Promise<void> {
  const { rows } = await pool.query<{ module_code: string; held: number; confirmed: number }>(
    `select module_code, held, confirmed from read."seat-availability"`,
  );
  const taken = Map.groupBy(held, ({ moduleCode }) => moduleCode);
  for (const { module_code: code, ...row } of rows) {
    assertSame(`seats held of ${code}`, row.held, 0);
    assertSame(`seats confirmed of ${code}`, row.confirmed, taken.get(code)?.length ?? 0);
  }
  const seats = rows.reduce((sum, { confirmed }) => sum + confirmed, 0);
  assertSame("seats confirmed", seats, held.length);
}

function assertSame(what: string, found: unknown, wanted: unknown): void {
  if (found === wanted) return;
  throw new Error(`Checking ${what}: ${String(found)} instead of ${String(wanted)}.`);
}
