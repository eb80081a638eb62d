import type { EffectSettlement, NewEffect } from "../../../engine/ports/effect-ledger.ts";
import { float8Array, int4Array, textArray } from "../binary-array.ts";
import { arrayLiteral } from "../event-store/append-call.ts";
import type { FunctionCall } from "../function-call.ts";
import type { Brought } from "../event-store/brought.ts";
import { jsonText } from "../stored-json.ts";

/** Requests effects, of each key the first that counts; undefined where there are none. */
export function requestEffects(wanted: readonly Brought<NewEffect>[]): FunctionCall | undefined {
  if (wanted.length === 0) return undefined;
  const effects = wanted.map(({ part }) => part);
  return {
    name: "refold.request_effects",
    types: [...Array.from({ length: 8 }, () => "text[]"), "float8[]", "integer[]"],
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
      int4Array(wanted.map(({ request }) => request)),
    ],
  };
}

/**
 * Those whose first try has begun if their request was appended.
 * @param known What `refold.request_effects` gave for all that were wanted.
 */
export function begunEffects(
  wanted: readonly Brought<NewEffect>[],
  known: unknown,
): Brought<NewEffect>[] {
  const places = new Set(known as readonly number[] | null);
  // The server counts from 1.
  return wanted.filter(({ part }, index) => part.leaseMs !== undefined && !places.has(index + 1));
}

/** Settles effects, each by its first answer that counts; undefined where there are none. */
export function settleEffects(
  settled: readonly Brought<EffectSettlement>[],
): FunctionCall | undefined {
  if (settled.length === 0) return undefined;
  return {
    name: "refold.settle_effects",
    types: ["text[]", "text[]", "integer[]"],
    values: [
      textArray(settled.map(({ part }) => part.key)),
      textArray(settled.map(({ part }) => jsonText(part.answer))),
      int4Array(settled.map(({ request }) => request)),
    ],
  };
}
