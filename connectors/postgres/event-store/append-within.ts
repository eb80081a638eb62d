import type { PoolClient } from "pg";

import type {
  AppendOptions,
  AppendRequest,
  AppendVerdict,
} from "../../../engine/ports/event-store.ts";
import { assertTimesAreTheHolders } from "../../../engine/recorded-times.ts";
import type { FunctionCall } from "../function-call.ts";
import type { CallResult } from "./append-answer.ts";
import { locksOf, type AppendCall, type Locks } from "./append-call.ts";
import { CallPlan, type CallLimits } from "./call-plan.ts";
import { sendAppends } from "./send-appends.ts";

const limits: CallLimits = {
  requestsMax: 1_000,
  bytesMax: 8 * 1_048_576,
  clashesMax: 2_000,
  marksMax: 256,
};
const newerMaxDefault = 1_000;

/**
 * Sends appends inside the caller's transaction, after its other writes; the caller sends the end
 * right behind them. What is appended is committed with what those requests bring, and nothing of
 * the others.
 *
 * @throws what pg throws, so that the caller's own policy names it; RefoldError for a request that
 * can't have a verdict, or before anything is sent where it is no request for these options.
 */
export async function appendWithin(
  client: PoolClient,
  requests: readonly AppendRequest[],
  options: AppendOptions,
): Promise<AppendVerdict[]> {
  const results = await sendAppends(client, callsOf(requests, options));
  return results.map(verdictOf);
}

/**
 * The same for a transaction that commits all of its appends, and of its positions (`fence`), or
 * nothing: when something of it isn't as it must be, the server fails the transaction, and the commit
 * that the caller has sent becomes a rollback. The verdicts tell of the appends.
 */
export async function appendAllWithin(
  client: PoolClient,
  requests: readonly AppendRequest[],
  options: AppendOptions,
): Promise<AppendVerdict[]> {
  const calls = callsOf(requests, options);
  const results = await sendAppends(client, calls, [assertWhole]);
  return results.map(verdictOf);
}

const assertWhole: FunctionCall = { name: "refold.assert_whole", types: [], values: [] };

/**
 * All locks are taken by the first call: a flush whose requests need several calls must not ask for
 * stripes while it holds lanes.
 */
function callsOf(requests: readonly AppendRequest[], options: AppendOptions): AppendCall[] {
  for (const request of requests) assertTimesAreTheHolders(request, options);
  let locks: Locks = locksOf(requests);
  const calls: AppendCall[] = [];
  let planned = 0;
  while (planned < requests.length) {
    const plan = new CallPlan(limits);
    for (const request of requests.slice(planned)) {
      if (!plan.add({ request, options })) break;
    }
    calls.push({
      requests: plan.requests,
      clashes: plan.clashes,
      locks,
      newerMax: newerMaxDefault,
      duplicates: "looked for",
    });
    planned += plan.requests.length;
    locks = { ...locks, tags: [], store: false };
  }
  return calls;
}

export function verdictOf(result: CallResult): AppendVerdict {
  if (result instanceof Error) throw result;
  return result;
}
