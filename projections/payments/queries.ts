import type { AnyRow } from "../../engine/columns.ts";
import type { Answer, ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { type PaymentRow, payments } from "./projection.ts";

export interface PageRequest {
  readonly limit: number;
  /** Cursor that came with the page before. */
  readonly cursor: string | undefined;
}

export interface PaymentPage {
  readonly rows: readonly PaymentRow[];
  readonly next: string | undefined;
}

export async function paymentById(
  reader: Pick<ReadModelReader, "get">,
  paymentId: string,
): Promise<Answer<PaymentRow | undefined>> {
  const answer = await reader.get(payments.name, paymentId);
  return answer as Answer<PaymentRow | undefined>;
}

/** Of a registration itself or of an enrolment, the oldest first. */
export const paymentsOfSubject = (
  reader: Pick<ReadModelReader, "find">,
  subjectId: string,
  page: PageRequest,
): Promise<Answer<PaymentPage>> => pageWhere(reader, { subjectId }, page);

/** A student's payments, the oldest first. */
export const paymentsOfStudent = (
  reader: Pick<ReadModelReader, "find">,
  studentId: string,
  page: PageRequest,
): Promise<Answer<PaymentPage>> => pageWhere(reader, { studentId }, page);

/** A registration has one payment; an enrolment one for each of its attempts. */
const attemptsMax = 100;

/**
 * The payments that name a registration, the oldest first: its own, or those of its enrolment's
 * attempts (`enrolmentId`, as the registration's row has it).
 */
export async function paymentsOfRegistration(
  reader: Pick<ReadModelReader, "find">,
  { registrationId, enrolmentId }: { registrationId: string; enrolmentId: string | null },
): Promise<Answer<readonly PaymentRow[]>> {
  const page = { limit: attemptsMax, cursor: undefined };
  const answer = await paymentsOfSubject(reader, enrolmentId ?? registrationId, page);
  const rows = answer.result.rows.filter(({ registrations }) =>
    registrations.some((part) => part.registrationId === registrationId),
  );
  return { ...answer, result: rows };
}

async function pageWhere(
  reader: Pick<ReadModelReader, "find">,
  where: AnyRow,
  { limit, cursor }: PageRequest,
): Promise<Answer<PaymentPage>> {
  const answer = await reader.find(payments.name, {
    where,
    orderBy: [{ column: "requestedAt" }],
    limit,
    ...(cursor === undefined ? {} : { after: cursor }),
  });
  const rows = answer.result.rows.map(({ row }) => row as PaymentRow);
  return { ...answer, result: { rows, next: answer.result.next } };
}
