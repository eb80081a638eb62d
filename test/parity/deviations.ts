import { absent, type Difference } from "./comparison/difference.ts";
import { columnOf, haltOf, type DeviationContext } from "./deviation-context.ts";

/**
 * A value that the connector mangles and the embedded capture tells as it is, or leaves out, or
 * halts for: a line of the table of deviations in docs/capture.md.
 */
export interface Deviation {
  /** The line's first cell. */
  readonly name: string;
  explains(difference: Difference, context: DeviationContext): boolean;
}

export const deviations: readonly Deviation[] = [
  {
    name: "arrays of bits",
    explains: leftOut(/^bit(?: varying)?(?:\(\d+\))?\[\]$/),
  },
  {
    name: "negative scale of numeric",
    explains: leftOut(/^numeric\(\d+,-\d+\)$/),
  },
  {
    name: "type `name`",
    explains: (difference, context) =>
      (difference.recorded === null || difference.recorded === "") &&
      typeof difference.ours === "string" &&
      columnOf(difference, context)?.type === "name",
  },
  {
    name: "arrays of time and timetz",
    explains: (difference, context) =>
      difference.ours !== absent &&
      /^time(?:\(\d\))? with(?:out)? time zone\[\]$/.test(
        columnOf(difference, context)?.type ?? "",
      ),
  },
  {
    name:
      "unchanged value out of line, in a smallint array, an array of other texts (timestamps with " +
      "zone, addresses, enums), or bytea under base64",
    explains: (difference, context) =>
      difference.recorded === null &&
      isPlaceholder(difference.ours, context) &&
      columnOf(difference, context) !== undefined,
  },
  {
    name:
      "numeric NaN and infinity, infinite dates and timestamps, arrays of two dimensions, " +
      "an enum array with NULL",
    explains: haltsFor(
      new RegExp(
        [
          "^-?(?:NaN|Infinity) of type numeric",
          "^-?infinity of type (?:date|timestamp)",
          String.raw`^(?:\[[^\]]*\]=)?\{\{[^]* of type [^]*\[\]`,
          // A long value is cut.
          String.raw`^\{[^]*(?:NULL|\.\.\.)[^]* of type [^]*\[\]`,
        ].join("|"),
      ),
    ),
  },
  {
    name:
      "unchanged value out of line, in a numeric or an array of floats, booleans, numerics, " +
      "timestamps or times",
    explains: haltsFor(/^\(unchanged, stored out of line\) of type /),
  },
  {
    name: "timestamps and intervals beyond 64 bits of their unit",
    explains: haltsFor(/^[^]* of type (?:timestamp|interval|a count of 64 bits)/),
  },
  {
    name: "columns that make one field, domains over enums",
    explains: ({ path, recorded }, { scenario }) =>
      /getArray\(\)|field name duplication/.test(scenario.connectorFailed ?? "") &&
      (path === "end" || recorded === absent),
  },
];

/** A field of such a column is there only in the recording: its schema, and its values. */
function leftOut(type: RegExp): Deviation["explains"] {
  return (difference, context) =>
    difference.ours === absent && type.test(columnOf(difference, context)?.type ?? "");
}

/** The capture halted for a value, which is told after "The value", and so told nothing more. */
function haltsFor(value: RegExp): Deviation["explains"] {
  const start = "value-unsupported: The value ";
  return (difference, { all }) => {
    const halt = haltOf(all);
    if (halt === undefined || !halt.told.startsWith(start)) return false;
    if (!value.test(halt.told.slice(start.length))) return false;
    return difference === halt.difference || (difference.ours === absent && isEvent(difference));
  };
}

function isEvent({ path }: Difference): boolean {
  return path === "event";
}

/** The placeholder as a text, base64 of it, an array's one item, or an item for each byte. */
function isPlaceholder(told: unknown, { scenario }: DeviationContext): boolean {
  const { config } = scenario;
  const text = config["unavailable.value.placeholder"] ?? "__debezium_unavailable_value";
  const bytes = Buffer.from(text);
  const forms = [text, bytes.toString("base64"), bytes.toString("base64url")];
  const wholes: unknown[] = [...forms, ...forms.map((form) => [form]), [...bytes]];
  return wholes.some((whole) => JSON.stringify(whole) === JSON.stringify(told));
}

/** The deviations that explain all differences; otherwise the first one that none explains. */
export function deviationOf(
  all: readonly Difference[],
  context: Omit<DeviationContext, "all">,
): { readonly deviation: string | null; readonly unexplained?: Difference } {
  const names = new Set<string>();
  for (const difference of all) {
    const known = deviations.find((one) => one.explains(difference, { ...context, all }));
    if (!known) return { deviation: null, unexplained: difference };
    names.add(known.name);
  }
  return { deviation: [...names].join("; ") };
}
