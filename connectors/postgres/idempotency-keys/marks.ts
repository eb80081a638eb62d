import type { PoolClient } from "pg";

import { answerText } from "../../../engine/kept-answer.ts";
import type { KeptOnce, OnceMark } from "../../../engine/ports/alongside.ts";
import { int4Array, textArray } from "../binary-array.ts";
import { arrayLiteral } from "../event-store/append-call.ts";
import type { FunctionCall } from "../function-call.ts";
import { answeredOnce, type KeptRow } from "./kept-row.ts";

/** A mark that stands for something: without a fingerprint another transaction has it. */
type ClaimedRow = KeptRow | { readonly mark: number; readonly fingerprint: null };

/**
 * Takes marks for the caller's transaction. @returns of each mark what it stands for already; one
 * that comes twice is in progress where it comes the second time.
 */
export async function claimMarks(
  client: PoolClient,
  marks: readonly OnceMark[],
): Promise<(KeptOnce | undefined)[]> {
  if (marks.length === 0) return [];
  const { rows } = await client.query<ClaimedRow>({
    name: "refold.claim_marks",
    text: "select * from refold.claim_marks($1::text[], $2::text[])",
    values: [textArray(marks.map(({ scope }) => scope)), textArray(marks.map(({ key }) => key))],
  });
  const found = new Map(rows.map((row) => [row.mark, row]));
  const seen = new Set<string>();
  return marks.map(({ scope, key }, index) => {
    const row = found.get(index + 1);
    if (row !== undefined && row.fingerprint !== null) return answeredOnce({ scope, key }, row);
    const id = JSON.stringify([scope, key]);
    const taken = row !== undefined || seen.has(id);
    seen.add(id);
    return taken ? { state: "in-progress", scope, key } : undefined;
  });
}

/** A mark that the transaction has claimed. */
export interface RequestMark extends OnceMark {
  /** The number, from 1, of its request in the call that appends it. */
  readonly request: number;
}

/**
 * Keeps answers; undefined where there are none.
 *
 * @throws InvariantViolation for an answer that is no JSON value.
 */
export function keepAnswers(marks: readonly RequestMark[]): FunctionCall | undefined {
  if (marks.length === 0) return undefined;
  return {
    name: "refold.keep_answers",
    types: ["text[]", "text[]", "text[]", "text[]", "text[]", "integer[]"],
    values: [
      textArray(marks.map(({ scope }) => scope)),
      textArray(marks.map(({ key }) => key)),
      textArray(marks.map(({ fingerprint }) => fingerprint)),
      textArray(marks.map(answerText)),
      textArray(marks.map(({ events }) => arrayLiteral(events))),
      int4Array(marks.map(({ request }) => request)),
    ],
  };
}
