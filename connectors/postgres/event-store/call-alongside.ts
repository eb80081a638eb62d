import type { Pool, PoolClient } from "pg";

import { commit, rollback, type Ending } from "../transaction.ts";
import { alongsideWrites, claimOnce, withBegun, write, writtenOf } from "./alongside.ts";
import type { CallResult } from "./append-answer.ts";
import { locksOf, type AppendCall } from "./append-call.ts";
import { appendTransaction } from "./append-transaction.ts";
import { mergeRepeated, runCall } from "./append-within.ts";
import type { CallPlan } from "./call-plan.ts";

export type CallSettings = Pick<AppendCall, "newerMax" | "duplicates">;

export const callOf = (plan: CallPlan, settings: CallSettings): AppendCall => ({
  requests: plan.requests,
  clashes: plan.clashes,
  locks: locksOf(plan.requests.map(({ request }) => request)),
  ...settings,
});

/**
 * A gathered call whose requests bring something with them: marks, then the append of those that
 * aren't repeated, then what those that were appended bring, in one transaction. The locks of the
 * append are held for one round trip, since the commit goes right behind what they bring.
 */
export function callAlongside(
  pool: Pool,
  plan: CallPlan,
  settings: CallSettings,
): Promise<CallResult[]> {
  return appendTransaction(pool, async (client) => {
    const requests = plan.requests.map(({ request }) => request);
    const repeated = await claimOnce(client, requests);
    const others = plan.requests.filter((_, index) => repeated[index] === undefined);
    if (others.length === 0) return rollback(mergeRepeated<CallResult>(repeated, []));
    const rest = others.length === requests.length ? plan : plan.only(others);
    const { end, result } = await appendOthers(client, rest, settings);
    return { end, result: Promise.resolve(result).then((own) => mergeRepeated(repeated, own)) };
  });
}

async function appendOthers(
  client: PoolClient,
  plan: CallPlan,
  settings: CallSettings,
): Promise<Ending<CallResult[]>> {
  const results = await runCall(client, callOf(plan, settings));
  const requests = plan.requests.map(({ request }) => request);
  const written = writtenOf(requests, results);
  if (written.length === 0) return rollback(results);
  const begun = write(client, alongsideWrites(written));
  return commit(begun.then((keys) => [...withBegun(results, requests, keys)]));
}
