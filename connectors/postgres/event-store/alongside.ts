import type { PoolClient } from "pg";

import type { Alongside, KeptOnce } from "../../../engine/ports/alongside.ts";
import type { AppendRequest, Appended, AppendVerdict } from "../../../engine/ports/event-store.ts";
import { changeDeadlines } from "../deadlines/index.ts";
import { begunEffects, requestEffects, settleEffects } from "../effect-ledger/index.ts";
import { callFunctions, type FunctionCall } from "../function-call.ts";
import type { CallResult } from "./append-answer.ts";
import { claimMarks, keepAnswers, type RequestMark } from "../idempotency-keys/index.ts";

/** What requests bring with them is written in their transaction, all of a kind at once. */
export const bringsMore = (request: AppendRequest): boolean => request.alongside !== undefined;

export type Repeated = Extract<AppendVerdict, { outcome: "repeated" }>;

/**
 * Takes the marks of the requests for the transaction: before all else that it locks. @returns of
 * each request the verdict, where its marks stand for something already.
 */
export async function claimOnce(
  client: PoolClient,
  requests: readonly AppendRequest[],
): Promise<(Repeated | undefined)[]> {
  const marks = requests.flatMap(({ alongside }) => alongside?.once ?? []);
  const known = await claimMarks(client, marks);
  let first = 0;
  return requests.map(({ alongside }) => {
    const end = first + (alongside?.once?.length ?? 0);
    const kept = known.slice(first, end).filter((one): one is KeptOnce => one !== undefined);
    first = end;
    return kept.length > 0 ? { outcome: "repeated", kept } : undefined;
  });
}

/** Of effects that requests bring: the keys of those whose first try has begun. */
export type Begun = ReadonlySet<string>;

const noneBegun: Begun = new Set();

/** One statement, made whole before anything of it or behind it is sent. */
export interface AlongsideWrites {
  readonly calls: readonly FunctionCall[];
  readonly begunOf: (given: readonly unknown[]) => Begun;
}

/**
 * Effects asked for and effects settled; what depends on verdicts that are known already goes in the
 * same statement.
 */
export function effectWrites(
  requests: readonly AppendRequest[],
  others: readonly FunctionCall[] = [],
): AlongsideWrites {
  const wanted = allOf(requests, ({ effects }) => effects);
  const asked = requestEffects(wanted);
  const settled = settleEffects(allOf(requests, ({ settled }) => settled));
  return {
    calls: present([asked, settled, ...others]),
    begunOf: ([known]) => (asked === undefined ? noneBegun : begunEffects(wanted, known)),
  };
}

/** Sends at once. */
export const write = async (
  client: PoolClient,
  { calls, begunOf }: AlongsideWrites,
): Promise<Begun> => begunOf(await callFunctions(client, calls));

/** The result of a request, with its effects that have begun: an effect is begun for one of them. */
export function withBegun<Result extends CallResult>(
  results: readonly Result[],
  requests: readonly AppendRequest[],
  begun: Begun,
): readonly (Result | Appended)[] {
  if (begun.size === 0) return results;
  const left = new Set(begun);
  return results.map((result, index) => {
    if (result instanceof Error || result.outcome !== "appended") return result;
    const wanted = requests[index]?.alongside?.effects ?? [];
    const own = wanted.map(({ key }) => key).filter((key) => left.delete(key));
    const verdict: Appended = result;
    return own.length === 0 ? result : { ...verdict, begun: own };
  });
}

/** A request that was appended. */
export interface Written {
  readonly request: AppendRequest;
  readonly verdict: Appended;
}

/** Of requests with their results, in order, those that were appended. */
export const writtenOf = (
  requests: readonly AppendRequest[],
  results: readonly CallResult[],
): Written[] =>
  requests.flatMap((request, index): Written[] => {
    const verdict = results[index];
    if (verdict === undefined || verdict instanceof Error) return [];
    return verdict.outcome === "appended" ? [{ request, verdict }] : [];
  });

/** What can be told only after the append: answers, and the deadlines of what is no duplicate. */
export function outcomeCalls(written: readonly Written[]): FunctionCall[] {
  const fresh = written.filter(({ verdict }) => !verdict.duplicate);
  return present([
    changeDeadlines(
      allOf(
        fresh.map(({ request }) => request),
        ({ deadlines }) => deadlines,
      ),
    ),
    keepAnswers(written.flatMap(answersOf)),
  ]);
}

/** Everything that requests of a gathered call bring with them, once it is known which count. */
export const alongsideWrites = (written: readonly Written[]): AlongsideWrites =>
  effectWrites(
    written.map(({ request }) => request),
    outcomeCalls(written),
  );

const answersOf = ({ request }: Written, index: number): RequestMark[] =>
  (request.alongside?.once ?? []).map((mark) => ({ ...mark, request: index + 1 }));

const allOf = <Part>(
  requests: readonly AppendRequest[],
  part: (alongside: Alongside) => readonly Part[] | undefined,
): Part[] => requests.flatMap(({ alongside }) => (alongside && part(alongside)) ?? []);

const present = (calls: readonly (FunctionCall | undefined)[]): FunctionCall[] =>
  calls.filter((call) => call !== undefined);
