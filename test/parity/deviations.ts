import { absent, type Difference } from "./comparison/difference.ts";
import type { Scenario } from "./scenario.ts";

/**
 * A value that the connector mangles and the embedded capture tells as it is, or halts for: a line
 * of the table of deviations in docs/capture.md.
 */
export interface Deviation {
  /** The line's first cell. */
  readonly name: string;
  explains(difference: Difference, context: DeviationContext): boolean;
}

export interface DeviationContext {
  readonly scenario: Scenario;
  /** Types of columns by `schema.table.column`, as the server writes them. */
  readonly types: ReadonlyMap<string, string>;
  /** All differences of the scenario. */
  readonly all: readonly Difference[];
}

export const deviations: readonly Deviation[] = [
  {
    name: "type `name`",
    explains: ({ path, topic, recorded, ours }, { scenario, types }) =>
      (recorded === null || recorded === "") &&
      typeof ours === "string" &&
      columnType({ path, topic }, scenario, types) === "name",
  },
  {
    name:
      "numeric NaN and infinity, infinite dates and timestamps, arrays of two dimensions, " +
      "an enum array with NULL",
    explains: (difference, { all }) => {
      const end = all.find(({ path }) => path === "end");
      const mangled = typeof end?.ours === "string" && mangledValue.test(end.ours);
      return mangled && (difference === end || difference.ours === absent);
    },
  },
];

/** What a halted capture says of a value that has no room in its schema. */
const mangledValue = new RegExp(
  [
    "^value-unsupported: The value (?:",
    ["-?(?:NaN|Infinity) of type numeric", "-?infinity of type (?:date|timestamp)"].join("|"),
    String.raw`|\{+[^]*\} of type [^]*\[\])`,
  ].join(""),
);

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

function columnType(
  { path, topic }: Pick<Difference, "path" | "topic">,
  scenario: Scenario,
  types: ReadonlyMap<string, string>,
): string | undefined {
  const column = /^value\.(?:before|after)\.(\w+)$/.exec(path)?.[1];
  const prefix = `${scenario.config["topic.prefix"] ?? ""}.`;
  return topic.startsWith(prefix)
    ? types.get(`${topic.slice(prefix.length)}.${column}`)
    : undefined;
}
