import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

import { InvariantViolation } from "../../engine/errors.ts";
import type { Labels, Metrics } from "../../engine/ports/metrics.ts";
import {
  catalogue,
  secondsBuckets,
  type MetricCatalogue,
  type MetricDefinition,
} from "./catalogue.ts";

export interface PrometheusMetricsOptions {
  /** Put before every name. */
  readonly prefix?: string;
  /** Metrics of the process (memory, event loop, garbage collection) beside ours. */
  readonly processMetrics?: "collect" | "leave out";
  /** A metric with more label sets than this is a fault in the code that labels it. */
  readonly labelSetsMax?: number;
  /** Metrics of your own beside the catalogue's. */
  readonly metrics?: MetricCatalogue;
}

interface Series {
  readonly metric: Counter | Gauge | Histogram;
  readonly labelNames: readonly string[];
  readonly seen: Set<string>;
}

/**
 * The metrics port on prom-client. Every metric stands in a catalogue, which fixes its kind and its
 * labels; those without labels are told from the start, as 0.
 *
 * Any other name or label is an `InvariantViolation`, and so are more label sets than the bound.
 */
export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #labelSetsMax: number;
  readonly #series = new Map<string, Series>();

  constructor(options: PrometheusMetricsOptions = {}) {
    const prefix = options.prefix ?? "refold_";
    this.#labelSetsMax = options.labelSetsMax ?? 1_000;
    if (options.processMetrics !== "leave out") {
      collectDefaultMetrics({ register: this.#registry, prefix });
    }
    for (const [name, definition] of Object.entries({ ...catalogue, ...options.metrics })) {
      const labelNames = definition.labels.toSorted();
      const common = { name: prefix + name, help: definition.help, labelNames };
      const made = { ...common, registers: [this.#registry] };
      this.#series.set(name, {
        metric: makeMetric(definition, made),
        labelNames,
        seen: new Set(),
      });
    }
  }

  count(name: string, by: number, labels: Labels = {}): void {
    this.#of(name, Counter, labels).inc(labels, by);
  }

  gauge(name: string, value: number, labels: Labels = {}): void {
    this.#of(name, Gauge, labels).set(labels, value);
  }

  drop(name: string, labels: Labels): void {
    this.#of(name, Gauge, labels).remove(labels);
    const series = this.#series.get(name);
    series?.seen.delete(setOf(series.labelNames, labels));
  }

  observe(name: string, value: number, labels: Labels = {}): void {
    this.#of(name, Histogram, labels).observe(labels, value);
  }

  /** The media type of `text()`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** What is told by name, prefix and metrics of the process included. */
  async described(): Promise<{ name: string; type: string; help: string }[]> {
    const all = await this.#registry.getMetricsAsJSON();
    return all.map(({ name, type, help }) => ({ name, type: String(type), help }));
  }

  #of<Metric extends Counter | Gauge | Histogram>(
    name: string,
    kind: new (...args: never[]) => Metric,
    labels: Labels,
  ): Metric {
    const series = this.#series.get(name);
    if (!(series?.metric instanceof kind)) {
      throw new InvariantViolation(
        `The catalogue of metrics has no ${kind.name.toLowerCase()} ${name}.`,
      );
    }
    this.#assertBounded(name, series, labels);
    return series.metric;
  }

  /** Unbounded labels (ids, keys) would fill the memory of this process and of Prometheus. */
  #assertBounded(name: string, { labelNames, seen }: Series, labels: Labels): void {
    const set = setOf(labelNames, labels);
    if (seen.has(set)) return;
    const given = Object.keys(labels);
    if (given.length !== labelNames.length || labelNames.some((label) => !(label in labels))) {
      throw new InvariantViolation(
        `The metric ${name} has the labels ${labelNames.join(", ") || "(none)"}, and was given ` +
          `${given.join(", ") || "(none)"}.`,
      );
    }
    if (seen.size >= this.#labelSetsMax) {
      throw new InvariantViolation(
        `The metric ${name} has more than ${this.#labelSetsMax} label sets: one of its labels is ` +
          "not from a closed set.",
      );
    }
    seen.add(set);
  }
}

function setOf(labelNames: readonly string[], labels: Labels): string {
  let set = "";
  for (const label of labelNames) set += `${labels[label] ?? ""}\u0000`;
  return set;
}

interface Common {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
}

function makeMetric(definition: MetricDefinition, common: Common): Series["metric"] {
  if (definition.kind === "counter") return new Counter(common);
  if (definition.kind === "gauge") return new Gauge(common);
  return new Histogram({ ...common, buckets: [...(definition.buckets ?? secondsBuckets)] });
}
