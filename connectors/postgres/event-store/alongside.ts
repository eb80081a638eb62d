import type { Alongside } from "../../../engine/ports/alongside.ts";
import type { Appended, AppendRequest } from "../../../engine/ports/event-store.ts";
import { changeDeadlines } from "../deadlines/index.ts";
import { begunEffects, requestEffects, settleEffects } from "../effect-ledger/index.ts";
import type { FunctionCall } from "../function-call.ts";
import { keepAnswers } from "../idempotency-keys/index.ts";
import type { CallResult } from "./append-answer.ts";
import { allBrought } from "./brought.ts";

/** What requests bring with them is written in their transaction, all of a kind at once. */
export const bringsMore = (request: AppendRequest): boolean => request.alongside !== undefined;

/** Of effects that requests bring: the keys of those whose first try has begun, by request. */
export type Begun = ReadonlyMap<number, readonly string[]>;

/** Calls that stand behind an append; what they bring counts with its request. */
export interface AlongsideCalls {
  readonly calls: readonly FunctionCall[];
  /** @param given What the calls gave, in order. */
  readonly begunOf: (given: readonly unknown[]) => Begun;
}

/** In one order for all callers, since rows are locked. */
export function alongsideCalls(requests: readonly AppendRequest[]): AlongsideCalls {
  const of = <Part>(parts: (alongside: Alongside) => readonly Part[] | undefined) =>
    allBrought(requests, ({ alongside }) => alongside && parts(alongside));
  const effects = of((alongside) => alongside.effects);
  const asked = requestEffects(effects);
  const calls = [
    asked,
    settleEffects(of((alongside) => alongside.settled)),
    changeDeadlines(of((alongside) => alongside.deadlines)),
    keepAnswers(of((alongside) => alongside.once)),
  ];
  return {
    calls: calls.filter((call) => call !== undefined),
    begunOf: ([known]) =>
      asked === undefined ? new Map() : keysByRequest(begunEffects(effects, known)),
  };
}

function keysByRequest(begun: ReturnType<typeof begunEffects>): Begun {
  const all = Map.groupBy(begun, ({ request }) => request);
  return new Map([...all].map(([request, of]) => [request, of.map(({ part }) => part.key)]));
}

/** The results, each with the effects of its request that have begun. */
export const withBegun = (results: readonly CallResult[], begun: Begun): CallResult[] =>
  results.map((result, index) => {
    const keys = begun.get(index + 1);
    if (keys === undefined || result instanceof Error || result.outcome !== "appended") {
      return result;
    }
    const appended: Appended = result;
    return { ...appended, begun: keys };
  });
