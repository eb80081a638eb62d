import type { StoredEffect } from "../../engine/ports/effect-ledger.ts";
import { jsonOf } from "../log/printable.ts";
import { table } from "../table.ts";

const headings = ["state", "key", "tries", "wanted", "next", "error"];

/** Effects for people, a line each. */
export function effectsTable(effects: readonly StoredEffect[]): string {
  if (effects.length === 0) return "No effects.";
  const rows = effects.map((effect) => [
    effect.state,
    effect.key,
    String(effect.attempts),
    effect.requestedAt.toISOString(),
    effect.state === "requested" ? effect.nextAt.toISOString() : "",
    firstLine(effect.error ?? ""),
  ]);
  return table(headings, rows);
}

/** One effect whole, but for its secret. */
export function effectText(effect: StoredEffect): string {
  const fields: (readonly [string, string | undefined])[] = [
    ["effect", effect.key],
    ["kind", effect.kind],
    ["state", effect.state],
    ["tries", String(effect.attempts)],
    ["wanted at", effect.requestedAt.toISOString()],
    ["last try at", effect.startedAt?.toISOString()],
    [nextName(effect), effect.endedAt === undefined ? effect.nextAt.toISOString() : undefined],
    ["ended at", effect.endedAt?.toISOString()],
    ["error", effect.error],
    ["input", jsonOf(effect.input)],
    ["secret", effect.secret === undefined ? undefined : "(kept until the effect is over)"],
    ["answer", effect.answer === undefined ? undefined : jsonOf(effect.answer)],
    ["tags", effect.tags.join(", ")],
    ["correlation", effect.correlationId],
    ["caused by", effect.causationId],
  ];
  return fields
    .flatMap(([name, text]) => (text === undefined ? [] : [`${name.padEnd(14)}${text}`]))
    .join("\n");
}

const nextName = ({ state }: StoredEffect): string =>
  state === "started" ? "dead after" : "next try at";

/** An effect for programs, without its secret: named field by field, so that none slips through. */
export function effectJson(effect: StoredEffect): Readonly<Record<string, unknown>> {
  const { key, kind, state, attempts, input, answer, error, tags } = effect;
  const { correlationId, causationId, traceparent } = effect;
  return {
    key,
    kind,
    state,
    attempts,
    requestedAt: effect.requestedAt.toISOString(),
    startedAt: effect.startedAt?.toISOString(),
    nextAt: effect.endedAt === undefined ? effect.nextAt.toISOString() : undefined,
    endedAt: effect.endedAt?.toISOString(),
    error,
    input,
    answer,
    tags,
    correlationId,
    causationId,
    traceparent,
  };
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
