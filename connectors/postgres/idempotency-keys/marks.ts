import type { PoolClient } from "pg";

import type { KeptOnce, OnceMark } from "../../../engine/ports/alongside.ts";
import { textArray } from "../binary-array.ts";
import type { FunctionCall } from "../function-call.ts";
import { jsonText } from "../stored-json.ts";

interface ClaimedRow {
  readonly mark: number;
  readonly fingerprint: string | null;
  readonly answer: unknown;
}

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
    text: "select mark, fingerprint, answer from refold.claim_marks($1::text[], $2::text[])",
    values: [textArray(marks.map(({ scope }) => scope)), textArray(marks.map(({ key }) => key))],
  });
  const found = new Map(rows.map((row) => [row.mark, row]));
  const seen = new Set<string>();
  return marks.map(({ scope, key }, index) => {
    const row = found.get(index + 1);
    if (row?.fingerprint !== undefined && row.fingerprint !== null) {
      const { fingerprint, answer } = row;
      return { state: "answered", scope, key, fingerprint, answer };
    }
    const id = JSON.stringify([scope, key]);
    const taken = row !== undefined || seen.has(id);
    seen.add(id);
    return taken ? { state: "in-progress", scope, key } : undefined;
  });
}

/** A mark that the transaction has claimed, with the answer to keep. */
export interface AnsweredMark extends Omit<OnceMark, "answer"> {
  readonly answer: unknown;
}

/** Keeps answers; undefined where there are none. */
export function keepAnswers(marks: readonly AnsweredMark[]): FunctionCall | undefined {
  if (marks.length === 0) return undefined;
  return {
    name: "refold.keep_answers",
    types: ["text[]", "text[]", "text[]", "text[]"],
    values: [
      textArray(marks.map(({ scope }) => scope)),
      textArray(marks.map(({ key }) => key)),
      textArray(marks.map(({ fingerprint }) => fingerprint)),
      textArray(marks.map(({ answer }) => jsonText(answer))),
    ],
  };
}
