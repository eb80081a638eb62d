import type { PoolClient } from "pg";

import type {
  AppendOptions,
  AppendRequest,
  AppendVerdict,
} from "../../../engine/ports/event-store.ts";
import { assertTimesAreTheHolders } from "../../../engine/recorded-times.ts";
import { callFunctions } from "../function-call.ts";
import {
  bringsMore,
  claimOnce,
  outcomeCalls,
  type Repeated,
  withBegun,
  writeEffects,
  writtenOf,
} from "./alongside.ts";
import { readAnswer, type AnswerRow, type CallResult } from "./append-answer.ts";
import { appendStatement, locksOf, type AppendCall, type Locks } from "./append-call.ts";
import { CallPlan, type CallLimits } from "./call-plan.ts";

const limits: CallLimits = {
  requestsMax: 1_000,
  bytesMax: 8 * 1_048_576,
  clashesMax: 2_000,
  marksMax: 256,
};
const newerMaxDefault = 1_000;

/**
 * Appends inside the caller's transaction, after its other writes and before the commit. When a
 * verdict isn't `appended`, the caller rolls back.
 *
 * All locks are taken by the first call: a flush whose requests need several calls must not ask for
 * stripes while it holds lanes. Effects are written before it, so that their work isn't done under
 * its locks; what depends on the verdicts comes after.
 *
 * @throws what pg throws, so that the caller's own policy names it; RefoldError for a request that
 * can't have a verdict.
 */
export async function appendWithin(
  client: PoolClient,
  requests: readonly AppendRequest[],
  options: AppendOptions,
): Promise<AppendVerdict[]> {
  for (const request of requests) assertTimesAreTheHolders(request, options);
  if (!requests.some(bringsMore)) return appendEvents(client, requests, options);
  const repeated = await claimOnce(client, requests);
  const others = requests.filter((_, index) => repeated[index] === undefined);
  const begun = await writeEffects(client, others);
  const verdicts = await appendEvents(client, others, options);
  const written = writtenOf(others, verdicts);
  if (written.length === others.length) await callFunctions(client, outcomeCalls(written));
  return mergeRepeated(repeated, withBegun(verdicts, others, begun));
}

/** Of all requests, those that weren't repeated having these results, in order. */
export function mergeRepeated<Result>(
  repeated: readonly (Repeated | undefined)[],
  results: readonly Result[],
): (Repeated | Result)[] {
  let next = 0;
  return repeated.map((verdict) => verdict ?? (results[next++] as Result));
}

async function appendEvents(
  client: PoolClient,
  requests: readonly AppendRequest[],
  options: AppendOptions,
): Promise<AppendVerdict[]> {
  let locks: Locks = locksOf(requests);
  const verdicts: AppendVerdict[] = [];
  while (verdicts.length < requests.length) {
    const plan = new CallPlan(limits);
    for (const request of requests.slice(verdicts.length)) {
      if (!plan.add({ request, options })) break;
    }
    const call = {
      requests: plan.requests,
      clashes: plan.clashes,
      locks,
      newerMax: newerMaxDefault,
    };
    for (const result of await runCall(client, call)) verdicts.push(verdictOf(result));
    locks = { ...locks, tags: [], store: false };
  }
  return verdicts;
}

export async function runCall(client: PoolClient, call: AppendCall): Promise<CallResult[]> {
  const { rows } = await client.query<AnswerRow>(appendStatement(call));
  return readAnswer(call, rows);
}

export function verdictOf(result: CallResult): AppendVerdict {
  if (result instanceof Error) throw result;
  return result;
}
