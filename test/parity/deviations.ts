import { absent, type Difference } from "./comparison/difference.ts";
import type { Scenario } from "./scenario.ts";

/** A value that the connector mangles and the embedded capture doesn't: a line of docs/capture.md. */
interface Deviation {
  /** The first cell of the line. */
  readonly name: string;
  explains(difference: Difference, context: DeviationContext): boolean;
}

interface DeviationContext {
  readonly scenario: Scenario;
  /** Types of columns by `schema.table.column`. */
  readonly types: ReadonlyMap<string, string>;
  /** All differences of the scenario. */
  readonly all: readonly Difference[];
}

const deviations: readonly Deviation[] = [
  {
    name: "type `name`",
    explains: ({ path, topic, recorded, ours }, { scenario, types }) =>
      (recorded === null || recorded === "") &&
      typeof ours === "string" &&
      columnType({ path, topic }, scenario, types) === "name",
  },
  {
    name: "values that have no room",
    explains: (difference, { all }) => {
      const end = all.find(({ path }) => path === "end");
      const halted = typeof end?.ours === "string" && end.ours.startsWith("value-unsupported");
      return halted && (difference === end || difference.ours === absent);
    },
  },
];

/** The deviation that explains all differences; otherwise the first one that none explains. */
export function deviationOf(
  scenario: Scenario,
  all: readonly Difference[],
  types: ReadonlyMap<string, string>,
): { readonly deviation: string | null; readonly unexplained?: Difference } {
  const names = new Set<string>();
  for (const difference of all) {
    const known = deviations.find((one) => one.explains(difference, { scenario, types, all }));
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
