import { type AnyRow, boolean, type Columns, nullable } from "../columns.ts";
import { changeColumns, effectOf, pendingColumn } from "../change/presence.ts";
import { filledIn, keepUnavailable } from "../change/unavailable.ts";
import type { RowChange } from "../ports/codec.ts";
import { followed } from "../decision/definition.ts";
import type { Emit, ErasedReact } from "../processor.ts";
import type { EmittedCall } from "./batch.ts";
import { rowOf } from "./change-intake.ts";
import type { CurrentMeta, Folder } from "./folder.ts";
import { rowCheck } from "./row-check.ts";
import type { SourceOrigin } from "./source-origin.ts";
import { recordPlace } from "./suspects.ts";

/** Collects what the reaction to one record asks for. */
export class Emissions {
  readonly #processor: string;
  readonly #meta: CurrentMeta;
  #origin: SourceOrigin | undefined;
  calls: EmittedCall[] = [];

  constructor(processor: string, meta: CurrentMeta) {
    this.#processor = processor;
    this.#meta = meta;
  }

  begin(origin: SourceOrigin): void {
    this.#origin = origin;
    this.calls = [];
  }

  readonly emit: Emit = (call, followUps = {}) => {
    const origin = this.#origin as SourceOrigin;
    // Two processors that react to one event must not make events of the same id.
    const seed = `${this.#processor}:${origin.id}:${this.calls.length}`;
    const record = recordPlace(this.#meta);
    this.calls.push({ ...followed(call, followUps), origin, seed, record });
  };
}

export interface ReactorOptions {
  /** The definition's own; undefined: it keeps no state. */
  readonly state: Columns | undefined;
  readonly meta: CurrentMeta;
  readonly emissions: Emissions;
}

type React = (
  state: AnyRow | undefined,
  event: unknown,
  emit: Emit,
  meta: CurrentMeta,
) => AnyRow | undefined | void;

/** Reacts to events; the state is what the reaction returns. */
export function eventReactor(options: ReactorOptions): Folder<ErasedReact> {
  const { state, meta, emissions } = options;
  const check = rowCheck(state ?? {});
  return (react, row, event) => {
    const after = (react as React)(row.row, event, emissions.emit, meta);
    if (state === undefined || after === undefined) return undefined;
    if (after !== row.row) check(after, row.key);
    return after;
  };
}

/**
 * Whether the processor has state for a row, beside the row's being there: which must be known to
 * tell which of a transaction's changes count, also where the processor itself keeps nothing.
 */
const stateColumn = "refold_state";

/** The columns stored for a processor of row changes: its own may be empty. */
export function changeStateColumns(state: Columns | undefined): Columns {
  const own = Object.entries(state ?? {}).map(([name, column]) => [name, nullable(column)]);
  return { ...(Object.fromEntries(own) as Columns), ...changeColumns, [stateColumn]: boolean() };
}

/** Reacts to row changes, transaction by transaction. */
export function changeReactor(
  options: ReactorOptions,
): Folder<{ readonly upsert: ErasedReact; readonly delete: ErasedReact }> {
  const { state, meta, emissions } = options;
  const check = rowCheck(state ?? {});
  const empty = Object.fromEntries(Object.keys(state ?? {}).map((name) => [name, null]));
  return (handlers, { row: before, key }, event) => {
    const change = event as RowChange;
    const effect = effectOf(change, before);
    if (effect.kind === "keep") return before && { ...before, [pendingColumn]: effect.pending };
    const held = before?.[stateColumn] === true ? before : undefined;
    if (effect.kind === "delete") {
      if (before !== undefined) {
        (handlers.delete as React)(held, rowOf(change), emissions.emit, meta);
      }
      return undefined;
    }
    const source = filledIn(rowOf(change), held);
    const after = (handlers.upsert as React)(held, source, emissions.emit, meta);
    const has = state !== undefined && after !== undefined;
    const kept = has ? keepUnavailable(after, held, key) : empty;
    if (has) check(kept, key);
    return { ...kept, [pendingColumn]: effect.pending, [stateColumn]: has };
  };
}
