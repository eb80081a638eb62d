import type { Difference } from "./comparison/difference.ts";
import type { Scenario } from "./scenario.ts";

/** What a difference is judged by. */
export interface DeviationContext {
  readonly scenario: Scenario;
  /** Types of columns by `schema.table.column`, as the server writes them. */
  readonly types: ReadonlyMap<string, string>;
  /** All differences of the scenario. */
  readonly all: readonly Difference[];
}

/** Where a column's value or field stands in an event; deeper parts of it count to it. */
const columnPaths = [
  /^value\.(?:before|after)\.([^.[]+)/,
  /^valueSchema\.fields\[before\]\.type\[1\]\.fields\[([^\]]+)\]/,
];

/** The column that a difference is about, where it is about one. */
export function columnOf(
  { path, topic }: Difference,
  { scenario, types }: DeviationContext,
): { readonly name: string; readonly type: string } | undefined {
  const name = columnPaths.map((pattern) => pattern.exec(path)?.[1]).find(Boolean);
  const prefix = `${scenario.config["topic.prefix"] ?? scenario.name}.`;
  if (name === undefined || !topic.startsWith(prefix)) return undefined;
  const type = types.get(`${topic.slice(prefix.length)}.${name}`);
  return type === undefined ? undefined : { name, type };
}

/** The capture's halt, where the connector did not stop. */
export function haltOf(
  all: readonly Difference[],
): { readonly difference: Difference; readonly told: string } | undefined {
  const difference = all.find(({ path }) => path === "end");
  return typeof difference?.ours === "string" && difference.ours !== "runs on"
    ? { difference, told: difference.ours }
    : undefined;
}
