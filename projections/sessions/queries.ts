import type { AnyRow } from "../../engine/columns.ts";
import type { Answer, ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { type SessionRow, sessions } from "./projection.ts";

export interface PageRequest {
  readonly limit: number;
  /** Cursor that came with the page before. */
  readonly cursor: string | undefined;
}

export interface SessionPage {
  readonly rows: readonly SessionRow[];
  readonly next: string | undefined;
}

export async function sessionById(
  reader: Pick<ReadModelReader, "get">,
  sessionId: string,
): Promise<Answer<SessionRow | undefined>> {
  const answer = await reader.get(sessions.name, sessionId);
  return answer as Answer<SessionRow | undefined>;
}

/** Who is signed in, the oldest session first. */
export const activeSessions = (
  reader: Pick<ReadModelReader, "find">,
  page: PageRequest,
): Promise<Answer<SessionPage>> => pageWhere(reader, { status: "active" }, page);

async function pageWhere(
  reader: Pick<ReadModelReader, "find">,
  where: AnyRow,
  { limit, cursor }: PageRequest,
): Promise<Answer<SessionPage>> {
  const answer = await reader.find(sessions.name, {
    where,
    orderBy: [{ column: "createdAt" }],
    limit,
    ...(cursor === undefined ? {} : { after: cursor }),
  });
  const rows = answer.result.rows.map(({ row }) => row as SessionRow);
  return { ...answer, result: { rows, next: answer.result.next } };
}
