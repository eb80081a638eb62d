import type { PoolClient } from "pg";

import type { AppendRequest } from "../../../engine/ports/event-store.ts";
import { callFunctions, type FunctionCall } from "../function-call.ts";
import { claimMarks } from "../idempotency-keys/index.ts";
import { allAnswered, sqlStateOf } from "../transaction.ts";
import { alongsideCalls, withBegun } from "./alongside.ts";
import { readAnswer, type AnswerRow, type CallResult } from "./append-answer.ts";
import { appendStatement, type AppendCall } from "./append-call.ts";
import { allBrought } from "./brought.ts";
import { notWholeState } from "./call-verdicts.ts";

/**
 * Sends appends with all that their requests bring, before anything of it is answered: clients' keys,
 * the appends, what counts with those that were appended, and `last` in the same statement. Once in a
 * transaction, whose end can go right behind it: the locks of an append are held while the server
 * works, and never while this process does something else.
 *
 * @returns the results of all requests of the calls, in order.
 * @throws what pg throws, of the statements in order the first.
 */
export function sendAppends(
  client: PoolClient,
  calls: readonly AppendCall[],
  last: readonly FunctionCall[] = [],
): Promise<CallResult[]> {
  const requests = calls.flatMap((call) => call.requests.map(({ request }) => request));
  // Made before anything is sent: an answer that can't be written fails its request.
  const alongside = alongsideCalls(requests);
  const known = claimMarks(client, marksOf(requests));
  const results = calls.map((call) => runCall(client, call));
  const given = callFunctions(client, [...alongside.calls, ...last]).catch(unlessNotWhole);
  return allAnswered([known, allAnswered(results), given]).then(([repeated, all, values]) =>
    withBegun(all.flat(), alongside.begunOf(values)).map((result, index) => {
      const kept = repeated.get(index + 1);
      return kept === undefined ? result : { outcome: "repeated", kept };
    }),
  );
}

/** What was the matter is told by the answers before. */
function unlessNotWhole(error: unknown): [] {
  if (sqlStateOf(error) === notWholeState) return [];
  throw error;
}

const marksOf = (requests: readonly AppendRequest[]) =>
  allBrought(requests, ({ alongside }) => alongside?.once);

export async function runCall(client: PoolClient, call: AppendCall): Promise<CallResult[]> {
  const { rows } = await client.query<AnswerRow>(appendStatement(call));
  return readAnswer(call, rows);
}
