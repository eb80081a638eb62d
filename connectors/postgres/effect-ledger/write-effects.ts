import type { EffectSettlement, NewEffect } from "../../../engine/ports/effect-ledger.ts";
import { float8Array, textArray } from "../binary-array.ts";
import { arrayLiteral } from "../event-store/append-call.ts";
import type { FunctionCall } from "../function-call.ts";
import { jsonText } from "../stored-json.ts";

/** Requests effects, of each key the first; undefined where there are none. */
export function requestEffects(wanted: readonly NewEffect[]): FunctionCall | undefined {
  if (wanted.length === 0) return undefined;
  const effects = firstOfEach(wanted);
  return {
    name: "refold.request_effects",
    types: [...Array.from({ length: 8 }, () => "text[]"), "float8[]"],
    values: [
      textArray(effects.map(({ key }) => key)),
      textArray(effects.map(({ kind }) => kind)),
      textArray(effects.map(({ input }) => jsonText(input))),
      textArray(effects.map(({ secret }) => (secret === undefined ? null : jsonText(secret)))),
      textArray(effects.map(({ tags }) => arrayLiteral(tags))),
      textArray(effects.map(({ correlationId }) => correlationId)),
      textArray(effects.map(({ causationId }) => causationId)),
      textArray(effects.map(({ traceparent }) => traceparent)),
      float8Array(effects.map(({ leaseMs }) => leaseMs)),
    ],
  };
}

/**
 * The keys of those whose first try has begun with their request.
 * @param known What `refold.request_effects` gave for all that were wanted.
 */
export function begunEffects(wanted: readonly NewEffect[], known: unknown): ReadonlySet<string> {
  const places = new Set(known as readonly number[] | null);
  // The server counts from 1.
  const begun = firstOfEach(wanted).filter(
    ({ leaseMs }, index) => leaseMs !== undefined && !places.has(index + 1),
  );
  return new Set(begun.map(({ key }) => key));
}

/** Settles effects, each by its first answer; undefined where there are none. */
export function settleEffects(settled: readonly EffectSettlement[]): FunctionCall | undefined {
  if (settled.length === 0) return undefined;
  const answers = firstOfEach(settled);
  return {
    name: "refold.settle_effects",
    types: ["text[]", "text[]"],
    values: [
      textArray(answers.map(({ key }) => key)),
      textArray(answers.map(({ answer }) => jsonText(answer))),
    ],
  };
}

function firstOfEach<Keyed extends { readonly key: string }>(all: readonly Keyed[]): Keyed[] {
  const first = new Map<string, Keyed>();
  for (const one of all) if (!first.has(one.key)) first.set(one.key, one);
  return [...first.values()];
}
