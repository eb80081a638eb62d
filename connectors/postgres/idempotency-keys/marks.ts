import type { PoolClient } from "pg";

import { answerText } from "../../../engine/kept-answer.ts";
import type { KeptOnce, OnceMark } from "../../../engine/ports/alongside.ts";
import { int4Array, textArray } from "../binary-array.ts";
import { arrayLiteral } from "../event-store/append-call.ts";
import type { Brought } from "../event-store/brought.ts";
import type { FunctionCall } from "../function-call.ts";
import { answeredOnce, type KeptRow } from "./kept-row.ts";

/** A mark that stands for something: without a fingerprint another transaction has it. */
type ClaimedRow = KeptRow | { readonly mark: number; readonly fingerprint: null };

/**
 * Takes marks for the caller's transaction, and tells the append behind it whose requests are
 * repeated. @returns what their marks stand for, by the number of the request; one that comes twice
 * is in progress where it comes the second time.
 */
export async function claimMarks(
  client: PoolClient,
  marks: readonly Brought<OnceMark>[],
): Promise<ReadonlyMap<number, readonly KeptOnce[]>> {
  if (marks.length === 0) return new Map();
  const { rows } = await client.query<ClaimedRow>({
    name: "refold.claim_marks",
    text: `select * from refold.claim_marks($1::text[], $2::text[], $3::boolean[], $4::integer[])`,
    values: [
      textArray(marks.map(({ part }) => part.scope)),
      textArray(marks.map(({ part }) => part.key)),
      comesAgain(marks),
      int4Array(marks.map(({ request }) => request)),
    ],
  });
  const taken = rows.flatMap((row) => {
    // The server counts from 1.
    const mark = marks[row.mark - 1];
    return mark === undefined ? [] : [{ request: mark.request, kept: keptOnce(mark.part, row) }];
  });
  const byRequest = Map.groupBy(taken, ({ request }) => request);
  return new Map([...byRequest].map(([request, of]) => [request, of.map(({ kept }) => kept)]));
}

function comesAgain(marks: readonly Brought<OnceMark>[]): boolean[] {
  const seen = new Set<string>();
  return marks.map(({ part: { scope, key } }) => {
    const id = JSON.stringify([scope, key]);
    return seen.has(id) || !seen.add(id);
  });
}

const keptOnce = ({ scope, key }: OnceMark, row: ClaimedRow): KeptOnce =>
  row.fingerprint === null
    ? { state: "in-progress", scope, key }
    : answeredOnce({ scope, key }, row);

/**
 * Keeps answers; undefined where there are none.
 *
 * @throws InvariantViolation for an answer that is no JSON value.
 */
export function keepAnswers(marks: readonly Brought<OnceMark>[]): FunctionCall | undefined {
  if (marks.length === 0) return undefined;
  return {
    name: "refold.keep_answers",
    types: ["text[]", "text[]", "text[]", "text[]", "text[]", "integer[]"],
    values: [
      textArray(marks.map(({ part }) => part.scope)),
      textArray(marks.map(({ part }) => part.key)),
      textArray(marks.map(({ part }) => part.fingerprint)),
      textArray(marks.map(({ part }) => answerText(part))),
      textArray(marks.map(({ part }) => arrayLiteral(part.events))),
      int4Array(marks.map(({ request }) => request)),
    ],
  };
}
