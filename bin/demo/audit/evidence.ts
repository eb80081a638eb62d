import type { Pool } from "pg";

import { moduleEvents, paymentEvents } from "../../../schemas/topics.ts";
import type { Told } from "../crowd/told.ts";
import { type EventLog, loggedEvents } from "./log-events.ts";
import { PaymentFold } from "./payment-fold.ts";
import { SeatFold } from "./seat-fold.ts";

export interface Charge {
  readonly key: string;
  readonly paymentId: string;
  readonly amountCents: number;
}

export interface Refund {
  readonly key: string;
  /** `ch:` and the key of a charge. */
  readonly reference: string;
  readonly amountCents: number;
}

export interface SeatsRow {
  readonly moduleCode: string;
  readonly capacity: number;
  readonly held: number;
  readonly confirmed: number;
}

export interface RegistrationRow {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
  readonly status: string;
}

/** All that the proof rests on. */
export interface Evidence {
  readonly told: Told;
  readonly seats: SeatFold;
  readonly payments: PaymentFold;
  /** Of the sandbox, which keeps books of its own: only what was charged. */
  readonly charges: readonly Charge[];
  readonly refunds: readonly Refund[];
  /** Read models, as queries see them. */
  readonly seatRows: readonly SeatsRow[];
  readonly registrationRows: readonly RegistrationRow[];
  readonly deadLetters: number;
  /** Events of seats and payments that the store has recorded. */
  readonly recorded: number;
}

export interface EvidenceSources extends EventLog {
  readonly pool: Pick<Pool, "query">;
}

export async function gatherEvidence(sources: EvidenceSources, told: Told): Promise<Evidence> {
  const { pool } = sources;
  const seats = new SeatFold();
  for await (const event of loggedEvents(sources, moduleEvents.name)) seats.take(event);
  const payments = new PaymentFold();
  for await (const event of loggedEvents(sources, paymentEvents.name)) payments.take(event);
  const rows = async <Row extends object>(text: string): Promise<readonly Row[]> =>
    (await pool.query<Row>(text)).rows;
  const count = async (text: string): Promise<number> =>
    (await rows<{ n: number }>(text))[0]?.n ?? 0;
  return {
    told,
    seats,
    payments,
    charges: await rows(
      `select key, payment_id as "paymentId", amount_cents as "amountCents"
       from sandbox.charges where refused is null`,
    ),
    refunds: await rows(
      `select key, reference, amount_cents as "amountCents" from sandbox.refunds`,
    ),
    seatRows: await rows(
      `select module_code as "moduleCode", capacity, held, confirmed
       from read."seat-availability"`,
    ),
    registrationRows: await rows(
      `select registration_id as "registrationId", module_code as "moduleCode",
         student_id as "studentId", status from read."registrations"`,
    ),
    deadLetters: await count("select count(*)::integer as n from refold.dead_letters"),
    recorded: await count(
      `select sum(last_sequence)::integer as n from refold.lanes
       where topic in ('${moduleEvents.name}', '${paymentEvents.name}')`,
    ),
  };
}
