import type { Answer, ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { type EnrolmentRow, enrolments } from "./projection.ts";

export interface PageRequest {
  readonly limit: number;
  /** Cursor that came with the page before. */
  readonly cursor: string | undefined;
}

export interface EnrolmentPage {
  readonly rows: readonly EnrolmentRow[];
  readonly next: string | undefined;
}

export async function enrolmentById(
  reader: Pick<ReadModelReader, "get">,
  enrolmentId: string,
): Promise<Answer<EnrolmentRow | undefined>> {
  const answer = await reader.get(enrolments.name, enrolmentId);
  return answer as Answer<EnrolmentRow | undefined>;
}

/** A student's enrolments, the oldest first, reversed ones too. */
export async function enrolmentsOfStudent(
  reader: Pick<ReadModelReader, "find">,
  studentId: string,
  { limit, cursor }: PageRequest,
): Promise<Answer<EnrolmentPage>> {
  const answer = await reader.find(enrolments.name, {
    where: { studentId },
    orderBy: [{ column: "startedAt" }],
    limit,
    ...(cursor === undefined ? {} : { after: cursor }),
  });
  const rows = answer.result.rows.map(({ row }) => row as EnrolmentRow);
  return { ...answer, result: { rows, next: answer.result.next } };
}
