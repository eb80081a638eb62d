import type { Answer, ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { type PageRequest, readPage, readRow, type RowPage } from "../../engine/read-rows.ts";
import { registrations, type RegistrationRow } from "./projection.ts";

export const registrationById = (
  reader: Pick<ReadModelReader, "get">,
  registrationId: string,
): Promise<Answer<RegistrationRow | undefined>> => readRow(reader, registrations, registrationId);

/** A student's registrations, the oldest first, cancelled ones too. */
export const registrationsOfStudent = (
  reader: Pick<ReadModelReader, "find">,
  studentId: string,
  page: PageRequest,
): Promise<Answer<RowPage<RegistrationRow>>> =>
  readPage(reader, registrations, { where: { studentId }, orderBy: "registeredAt", ...page });

/** A module's roster, the oldest registration first; with a status, only those. */
export const registrationsOfModule = (
  reader: Pick<ReadModelReader, "find">,
  { moduleCode, status }: { readonly moduleCode: string; readonly status?: string },
  page: PageRequest,
): Promise<Answer<RowPage<RegistrationRow>>> => {
  const where = status === undefined ? { moduleCode } : { moduleCode, status };
  return readPage(reader, registrations, { where, orderBy: "registeredAt", ...page });
};
