import { type MeasuredInstance, queryRows, waitUntil } from "./_instance.ts";

export interface KeptEnrolment {
  readonly enrolmentId: string;
  readonly studentId: string;
  readonly codes: readonly string[];
}

interface Expected {
  readonly enrolled: readonly KeptEnrolment[];
  /** Of each module. */
  readonly feeCents: number;
}

interface Registration {
  readonly of: string;
  readonly module: string;
  readonly student: string;
  readonly status: string;
}

interface Payment {
  readonly of: string;
  readonly student: string;
  readonly status: string;
  readonly amount: number;
  readonly charged: number | null;
  readonly refused: string | null;
}

const registrationsText = `select enrolment_id as of, module_code as module,
  student_id as student, status from read."registrations" where enrolment_id = any($1)`;

const paymentsText = `select p.subject_id as of, p.student_id as student, p.status,
  p.amount_cents as amount, c.amount_cents as charged, c.refused
  from read."payments" p left join sandbox.charges c using (payment_id)
  where p.subject_id = any($1)`;

const completedText = `select count(*)::integer as n from read."enrolments"
  where enrolment_id = any($1) and status = 'completed'`;

/**
 * Holds the read models and the provider's books against what was asked for, enrolment by enrolment.
 *
 * @throws Error naming the first difference.
 */
export async function assertEnrolled(
  instance: MeasuredInstance,
  expected: Expected,
): Promise<void> {
  const { enrolled } = expected;
  const ids = [enrolled.map(({ enrolmentId }) => enrolmentId)];
  await waitUntil("the read models have every enrolment", async () => {
    const [found] = await queryRows<{ n: number }>(instance, completedText, ids);
    const all = await queryRows<Registration>(instance, registrationsText, ids);
    return found?.n === enrolled.length && all.every(({ status }) => status === "completed");
  });
  const registrations = await queryRows<Registration>(instance, registrationsText, ids);
  const payments = await queryRows<Payment>(instance, paymentsText, ids);
  const seatsOf = Map.groupBy(registrations, ({ of }) => of);
  const paymentsOf = Map.groupBy(payments, ({ of }) => of);
  for (const one of enrolled) {
    assertSeats(one, seatsOf.get(one.enrolmentId) ?? []);
    assertPayment(one, paymentsOf.get(one.enrolmentId) ?? [], expected.feeCents);
  }
}

function assertSeats({ enrolmentId, ...one }: KeptEnrolment, seats: readonly Registration[]): void {
  const wanted = one.codes.map((code) => `${code} ${one.studentId} completed`).sort();
  const found = seats.map((seat) => `${seat.module} ${seat.student} ${seat.status}`).sort();
  assertSame(`seats of enrolment ${enrolmentId}`, found.join(), wanted.join());
}

function assertPayment(one: KeptEnrolment, payments: readonly Payment[], feeCents: number): void {
  const { enrolmentId, studentId, codes } = one;
  const cents = codes.length * feeCents;
  const wanted = `${studentId} confirmed ${cents} ${cents} not refused`;
  const found = payments.map(
    ({ student, status, amount, charged, refused }) =>
      `${student} ${status} ${amount} ${charged ?? "nothing"} ${refused ?? "not refused"}`,
  );
  assertSame(`payments and charges of enrolment ${enrolmentId}`, found.join(), wanted);
}

function assertSame(what: string, found: string, wanted: string): void {
  if (found !== wanted) throw new Error(`${what}: ${found} instead of ${wanted}.`);
}
