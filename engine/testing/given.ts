import type { AnyRow } from "../columns.ts";
import type { RecordMeta } from "../projection.ts";
import type { ErasedEventProjection } from "../projection.ts";
import type { AnyEventType } from "../topic.ts";
import { rowCheck } from "../task/row-check.ts";

/** An event with its type: what a test writes down. */
export interface GivenEvent {
  readonly type: AnyEventType;
  readonly event: unknown;
  /** Milliseconds; by default each event is one second after the one before. */
  readonly recordedAtMs?: number;
}

/** An event of a type, checked by the compiler. */
export function happened<Event>(
  type: AnyEventType & { readonly _event?: Event },
  event: Event,
  recordedAtMs?: number,
): GivenEvent {
  return { type, event, ...(recordedAtMs === undefined ? {} : { recordedAtMs }) };
}

export class ExpectationError extends Error {
  readonly actual: unknown;
  readonly expected: unknown;

  constructor(message: string, compared: { actual: unknown; expected: unknown }) {
    super(`${message}\nexpected: ${show(compared.expected)}\nactual:   ${show(compared.actual)}`);
    this.name = "ExpectationError";
    this.actual = compared.actual;
    this.expected = compared.expected;
  }
}

export interface Given {
  /** The rows that the projection makes of the events, by key. */
  rows(): ReadonlyMap<string, AnyRow>;
  /** @throws ExpectationError unless the rows are exactly these. */
  then(rows: Readonly<Record<string, AnyRow>>): void;
}

/** `given(projection, events).then(rows)`: a projection's fold alone, without any machinery. */
export function given(projection: ErasedEventProjection, events: readonly GivenEvent[]): Given {
  return {
    rows: () => foldAll(projection, events),
    // oxlint-disable-next-line unicorn/no-thenable -- never awaited: it gives nothing back
    then: (rows) => {
      const actual = Object.fromEntries(foldAll(projection, events));
      assertEqual(actual, rows, `${projection.name} makes other rows`);
    },
  };
}

/** The independent fold that the machinery is compared with: a map and a loop. */
export function foldAll(
  projection: ErasedEventProjection,
  events: readonly GivenEvent[],
): Map<string, AnyRow> {
  const rows = new Map<string, AnyRow>();
  const check = rowCheck(projection.row);
  for (const [index, { type, event, recordedAtMs = index * 1_000 }] of events.entries()) {
    const fold = projection.on[type.name];
    if (fold === undefined || fold === "ignore") continue;
    const key = keyOf(projection, event);
    if (key === undefined) continue;
    const meta: RecordMeta = metaOf(projection, index, recordedAtMs);
    const after = fold(rows.get(key) as never, event as never, meta);
    if (after === undefined) rows.delete(key);
    else {
      check(after, key);
      rows.set(key, after);
    }
  }
  return rows;
}

function keyOf({ key }: ErasedEventProjection, event: unknown): string | undefined {
  const found: unknown =
    typeof key === "string" ? (event as Record<string, unknown>)[key] : key(event as never);
  return typeof found === "string" ? found : undefined;
}

function metaOf({ from }: ErasedEventProjection, at: number, recordedAtMs: number): RecordMeta {
  const topic = from[0]?.name ?? "";
  return { topic, partition: 0, offset: at, recordedAtMs, sequence: at + 1 };
}

/** Compares by value; the message shows both sides. */
export function assertEqual(actual: unknown, expected: unknown, message: string): void {
  if (show(actual) !== show(expected)) throw new ExpectationError(message, { actual, expected });
}

function show(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => {
    if (typeof part === "bigint") return `${part}n`;
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([one], [two]) => (one < two ? -1 : 1)));
  });
}
