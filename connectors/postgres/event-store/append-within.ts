import type { PoolClient } from "pg";

import type {
  AppendOptions,
  AppendRequest,
  AppendVerdict,
} from "../../../engine/ports/event-store.ts";
import { assertTimesAreTheHolders } from "../../../engine/recorded-times.ts";
import { callFunctions } from "../function-call.ts";
import { bothAnswered } from "../transaction.ts";
import {
  bringsMore,
  claimOnce,
  effectWrites,
  outcomeCalls,
  type Repeated,
  withBegun,
  write,
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
  const { verdicts, sent } = await sendAppends(client, requests, options);
  await sent;
  return verdicts;
}

/** Appends whose verdicts are known. */
export interface SentAppends {
  readonly verdicts: AppendVerdict[];
  /** What follows from the verdicts: it was sent, and isn't answered yet. */
  readonly sent: Promise<unknown>;
}

/** `appendWithin` for callers who send the commit right behind what is sent last. */
export async function sendAppends(
  client: PoolClient,
  requests: readonly AppendRequest[],
  options: AppendOptions,
): Promise<SentAppends> {
  for (const request of requests) assertTimesAreTheHolders(request, options);
  if (!requests.some(bringsMore)) {
    return { verdicts: await appendEvents(client, requests, options), sent: nothingSent };
  }
  const repeated = await claimOnce(client, requests);
  const others = requests.filter((_, index) => repeated[index] === undefined);
  const effects = effectWrites(others);
  const [begun, verdicts] = await bothAnswered(
    write(client, effects),
    appendEvents(client, others, options),
  );
  const written = writtenOf(others, verdicts);
  const calls = written.length === others.length ? outcomeCalls(written) : [];
  const sent = callFunctions(client, calls);
  // A caller whose fence is lost rolls back without asking; a connection that breaks then must not
  // end the process.
  sent.catch(() => undefined);
  return { verdicts: mergeRepeated(repeated, withBegun(verdicts, others, begun)), sent };
}

const nothingSent = Promise.resolve();

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
      duplicates: "looked for" as const,
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
