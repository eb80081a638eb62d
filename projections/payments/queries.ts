import type { Answer, ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { type PageRequest, readPage, readRow, type RowPage } from "../../engine/read-rows.ts";
import { type PaymentRow, payments } from "./projection.ts";

export const paymentById = (
  reader: Pick<ReadModelReader, "get">,
  paymentId: string,
): Promise<Answer<PaymentRow | undefined>> => readRow(reader, payments, paymentId);

/** Of a registration itself or of an enrolment, the oldest first. */
export const paymentsOfSubject = (
  reader: Pick<ReadModelReader, "find">,
  subjectId: string,
  page: PageRequest,
): Promise<Answer<RowPage<PaymentRow>>> =>
  readPage(reader, payments, { where: { subjectId }, orderBy: "requestedAt", ...page });

/** A student's payments, the oldest first. */
export const paymentsOfStudent = (
  reader: Pick<ReadModelReader, "find">,
  studentId: string,
  page: PageRequest,
): Promise<Answer<RowPage<PaymentRow>>> =>
  readPage(reader, payments, { where: { studentId }, orderBy: "requestedAt", ...page });

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
