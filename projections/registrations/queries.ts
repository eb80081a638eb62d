import type { AnyRow } from "../../engine/columns.ts";
import type { Answer, ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { registrations, type RegistrationRow } from "./projection.ts";

export interface PageRequest {
  readonly limit: number;
  /** Cursor that came with the page before. */
  readonly cursor: string | undefined;
}

export interface RegistrationPage {
  readonly rows: readonly RegistrationRow[];
  readonly next: string | undefined;
}

export async function registrationById(
  reader: Pick<ReadModelReader, "get">,
  registrationId: string,
): Promise<Answer<RegistrationRow | undefined>> {
  const answer = await reader.get(registrations.name, registrationId);
  return answer as Answer<RegistrationRow | undefined>;
}

/** A student's registrations, the oldest first, cancelled ones too. */
export const registrationsOfStudent = (
  reader: Pick<ReadModelReader, "find">,
  studentId: string,
  page: PageRequest,
): Promise<Answer<RegistrationPage>> => pageWhere(reader, { studentId }, page);

/** A module's roster, the oldest registration first; with a status, only those. */
export const registrationsOfModule = (
  reader: Pick<ReadModelReader, "find">,
  where: { readonly moduleCode: string; readonly status?: string },
  page: PageRequest,
): Promise<Answer<RegistrationPage>> => pageWhere(reader, where, page);

async function pageWhere(
  reader: Pick<ReadModelReader, "find">,
  where: AnyRow,
  { limit, cursor }: PageRequest,
): Promise<Answer<RegistrationPage>> {
  const answer = await reader.find(registrations.name, {
    where,
    orderBy: [{ column: "registeredAt" }],
    limit,
    ...(cursor === undefined ? {} : { after: cursor }),
  });
  const rows = answer.result.rows.map(({ row }) => row as RegistrationRow);
  return { ...answer, result: { rows, next: answer.result.next } };
}
