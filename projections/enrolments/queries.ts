import type { Answer, ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { type PageRequest, readPage, readRow, type RowPage } from "../../engine/read-rows.ts";
import { type EnrolmentRow, enrolments } from "./projection.ts";

export const enrolmentById = (
  reader: Pick<ReadModelReader, "get">,
  enrolmentId: string,
): Promise<Answer<EnrolmentRow | undefined>> => readRow(reader, enrolments, enrolmentId);

/** A student's enrolments, the oldest first, reversed ones too. */
export const enrolmentsOfStudent = (
  reader: Pick<ReadModelReader, "find">,
  studentId: string,
  page: PageRequest,
): Promise<Answer<RowPage<EnrolmentRow>>> =>
  readPage(reader, enrolments, { where: { studentId }, orderBy: "startedAt", ...page });
