import type { Answer, ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { type PageRequest, readPage, readRow } from "../../engine/read-rows.ts";
import { placeKey } from "./place-key.ts";
import { waitingLists, type WaitingListRow } from "./projection.ts";

export interface PlaceInLine extends WaitingListRow {
  /** 1 is who gets the next seat; 0 has one on offer. */
  readonly place: number;
}

export interface LinePage {
  readonly places: readonly PlaceInLine[];
  readonly next: string | undefined;
}

type LineReader = Pick<ReadModelReader, "get" | "find" | "count">;

/**
 * The line of a module, the first in it first. The rows of a page are of one moment; the places
 * counted from are of one a little later.
 */
export async function lineOfModule(
  reader: LineReader,
  moduleCode: string,
  page: PageRequest,
): Promise<Answer<LinePage>> {
  const from = { where: { moduleCode }, orderBy: "turn" } as const;
  const answer = await readPage(reader, waitingLists, { ...from, ...page });
  const { rows, next } = answer.result;
  const first = rows.find(isWaiting);
  let place = first === undefined ? 0 : await waitingBefore(reader, first);
  const places = rows.map((row) => ({ ...row, place: isWaiting(row) ? (place += 1) : 0 }));
  return { ...answer, result: { places, next } };
}

/** Where a student stands in the line of a module; undefined: not in it. */
export async function placeInLine(
  reader: LineReader,
  moduleCode: string,
  studentId: string,
): Promise<Answer<PlaceInLine | undefined>> {
  const answer = await readRow(reader, waitingLists, placeKey(moduleCode, studentId));
  const row = answer.result;
  if (row === undefined) return { ...answer, result: undefined };
  const place = isWaiting(row) ? (await waitingBefore(reader, row)) + 1 : 0;
  return { ...answer, result: { ...row, place } };
}

const isWaiting = ({ state }: WaitingListRow): boolean => state === "waiting";

async function waitingBefore(
  reader: LineReader,
  { moduleCode, turn }: WaitingListRow,
): Promise<number> {
  const { result } = await reader.count(waitingLists.name, {
    where: { moduleCode, state: "waiting" },
    below: { column: "turn", value: turn },
  });
  return result;
}
