import type { MetricDefinition, MetricLabel } from "../../connectors/prometheus/index.ts";
import type { CustomPanel, PanelExpression, Unit } from "./dashboard.ts";
import { prefix } from "./known-series.ts";

/** Grafana puts in its range, which fits the scrape's interval. */
const over = "[$__rate_interval]";

/** Parts of one sum, told by whoever owns a partition. Everything else all processes tell alike. */
const summed =
  /^(partitions|dead_letters_open|parked_keys|redis_rows_waiting|redis_partitions_behind)$/;

/** How a metric of the catalogue is best seen: counters as rates, histograms as quantiles. */
export function panelOf(name: string, metric: MetricDefinition): CustomPanel {
  const shown = { title: titleOf(name), about: metric.help, kind: "timeseries" } as const;
  return { ...shown, ...seenAs[metric.kind](name, metric.labels) };
}

type Seen = Pick<CustomPanel, "unit" | "expressions">;

const seenAs: Readonly<
  Record<MetricDefinition["kind"], (name: string, labels: readonly MetricLabel[]) => Seen>
> = {
  counter: (name, labels) => ({ unit: "ops", expressions: [rateOf(name, labels)] }),
  gauge: (name, labels) => ({ unit: unitOf(name), expressions: [levelOf(name, labels)] }),
  histogram: (name, labels) => ({ unit: unitOf(name), expressions: quantilesOf(name, labels) }),
};

const titleOf = (name: string): string => {
  const words = name.replace(/_total$/, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

function unitOf(name: string): Unit {
  if (name.endsWith("_seconds")) return "s";
  if (name.endsWith("_bytes")) return "bytes";
  return name.endsWith("_per_second") ? "ops" : "short";
}

const by = (labels: readonly string[]): string =>
  labels.length === 0 ? "" : ` by (${labels.join(", ")})`;
const legendOf = (labels: readonly MetricLabel[]): string =>
  labels.length === 0 ? "all" : labels.map((label) => `{{${label}}}`).join(" ");

const rateOf = (name: string, labels: readonly MetricLabel[]): PanelExpression => ({
  expression: `sum${by(labels)} (rate(${prefix}${name}${over}))`,
  legend: legendOf(labels),
});

const levelOf = (name: string, labels: readonly MetricLabel[]): PanelExpression => ({
  expression: `${summed.test(name) ? "sum" : "max"}${by(labels)} (${prefix}${name})`,
  legend: legendOf(labels),
});

/** Of all statuses together: a quantile for each would be of a few requests. */
function quantilesOf(name: string, labels: readonly MetricLabel[]): PanelExpression[] {
  const kept = labels.filter((label) => label !== "status" && label !== "method");
  return [0.5, 0.99].map((quantile) => ({
    expression:
      `histogram_quantile(${quantile}, ` +
      `sum${by([...kept, "le"])} (rate(${prefix}${name}_bucket${over})))`,
    legend: `p${quantile * 100} ${legendOf(kept)}`,
  }));
}
