import {
  catalogue,
  type MetricCatalogue,
  PrometheusMetrics,
} from "../../connectors/prometheus/index.ts";
import { expressionOf, type SeriesUse } from "./promql.ts";

export const prefix = "refold_";

export interface KnownSeries {
  readonly kind: "counter" | "gauge" | "histogram part";
  readonly labels: readonly string[];
}

/** Prometheus sets these itself. */
const targetLabels = ["job", "instance"];

const histogramParts = ["_bucket", "_sum", "_count"];

/** Functions that take a counter's resets into account; a counter's value by itself says nothing. */
const countsOver = new Set(["rate", "irate", "increase", "resets", "absent", "absent_over_time"]);

/** Everything that a scrape of Refold may tell, by the name of its series. */
export async function knownSeries(): Promise<ReadonlyMap<string, KnownSeries>> {
  const known = new Map<string, KnownSeries>([["up", { kind: "gauge", labels: [] }]]);
  for (const { name, type } of await new PrometheusMetrics().described()) {
    const own: MetricCatalogue[string] | undefined = catalogue[name.slice(prefix.length)];
    const labels = own?.labels ?? (type === "histogram" ? ["kind"] : []);
    if (type === "histogram") {
      for (const part of histogramParts) known.set(name + part, partOf(part, labels));
    } else {
      known.set(name, { kind: type === "counter" ? "counter" : "gauge", labels });
    }
  }
  return known;
}

const partOf = (part: string, labels: readonly string[]): KnownSeries => ({
  kind: "histogram part",
  labels: part === "_bucket" ? [...labels, "le"] : labels,
});

/** What an expression names that isn't told, or uses as it can't be used. */
export function expressionFaults(
  text: string,
  known: ReadonlyMap<string, KnownSeries>,
): readonly string[] {
  const { series, grouping } = expressionOf(text);
  if (series.length === 0) return ["it names no series"];
  const labels = new Set(series.flatMap(({ name }) => known.get(name)?.labels ?? []));
  const foreign = grouping.filter((one) => !labels.has(one) && !targetLabels.includes(one));
  return [
    ...series.flatMap((use) => seriesFaults(use, known.get(use.name))),
    ...foreign.map((label) => `none of its series has the label ${label}`),
  ];
}

function seriesFaults(
  { name, labels, calls }: SeriesUse,
  series: KnownSeries | undefined,
): string[] {
  if (series === undefined) return [`nothing tells ${name}`];
  const counts = calls.some((call) => countsOver.has(call));
  return [
    ...labels
      .filter((label) => !series.labels.includes(label) && !targetLabels.includes(label))
      .map((label) => `${name} has no label ${label}`),
    ...(series.kind === "gauge" && calls.some((call) => /^(i?rate|increase)$/.test(call))
      ? [`${name} is a gauge, and has no rate`]
      : []),
    ...(series.kind !== "gauge" && !counts ? [`${name} counts, and is used without a rate`] : []),
  ];
}
