import type { Answer, ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { type PageRequest, readPage, readRow, type RowPage } from "../../engine/read-rows.ts";
import { type SessionRow, sessions } from "./projection.ts";

export const sessionById = (
  reader: Pick<ReadModelReader, "get">,
  sessionId: string,
): Promise<Answer<SessionRow | undefined>> => readRow(reader, sessions, sessionId);

/** Who is signed in, the oldest session first. */
export const activeSessions = (
  reader: Pick<ReadModelReader, "find">,
  page: PageRequest,
): Promise<Answer<RowPage<SessionRow>>> =>
  readPage(reader, sessions, { where: { status: "active" }, orderBy: "createdAt", ...page });
