import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

import { InvariantViolation } from "../../engine/errors.ts";
import type { Labels, Metrics } from "../../engine/ports/metrics.ts";
import {
  catalogue,
  secondsBuckets,
  type MetricCatalogue,
  type MetricDefinition,
} from "./catalogue.ts";
import { Exposition } from "./exposition.ts";

export interface PrometheusMetricsOptions {
  /** Put before every name. */
  readonly prefix?: string;
  /** Metrics of the process (memory, event loop, garbage collection) beside ours. */
  readonly processMetrics?: "collect" | "leave out";
  /** A metric with more label sets than this is a fault in the code that labels it. */
  readonly labelSetsMax?: number;
  /**
   * Told of each name or label that the catalogue doesn't have, once; the value is left out. Without
   * it such a call throws, which is what tests want: in production nobody's work ends for a figure.
   */
  readonly onFault?: (message: string) => void;
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
 * Any other name or label is a fault, and so are more label sets than the bound: an
 * `InvariantViolation`, or told to `onFault`.
 */
export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #exposition = new Exposition(this.#registry);
  readonly #labelSetsMax: number;
  readonly #series = new Map<string, Series>();
  readonly #onFault: ((message: string) => void) | undefined;
  readonly #faults = new Set<string>();

  constructor(options: PrometheusMetricsOptions = {}) {
    const prefix = options.prefix ?? "refold_";
    this.#labelSetsMax = options.labelSetsMax ?? 1_000;
    this.#onFault = options.onFault;
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
    this.#of(name, Counter, labels)?.inc(labels, by);
  }

  gauge(name: string, value: number, labels: Labels = {}): void {
    this.#of(name, Gauge, labels)?.set(labels, value);
  }

  drop(name: string, labels: Labels): void {
    this.#of(name, Gauge, labels)?.remove(labels);
    const series = this.#series.get(name);
    series?.seen.delete(setOf(series.labelNames, labels));
  }

  observe(name: string, value: number, labels: Labels = {}): void {
    this.#of(name, Histogram, labels)?.observe(labels, value);
  }

  /** The media type of `text()`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in Prometheus' text format. */
  text(): Promise<string> {
    return this.#exposition.text();
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
  ): Metric | undefined {
    const series = this.#series.get(name);
    if (!(series?.metric instanceof kind)) {
      return this.#fault(`The catalogue of metrics has no ${kind.name.toLowerCase()} ${name}.`);
    }
    const set = setOf(series.labelNames, labels);
    if (series.seen.has(set)) return series.metric;
    const fault = labelFault(name, series, { labels, labelSetsMax: this.#labelSetsMax });
    if (fault !== undefined) return this.#fault(fault);
    series.seen.add(set);
    return series.metric;
  }

  #fault(message: string): undefined {
    if (!this.#onFault) throw new InvariantViolation(message);
    if (this.#faults.has(message) || this.#faults.size >= faultsMax) return undefined;
    this.#faults.add(message);
    this.#onFault(message);
    return undefined;
  }
}

/** Different faults that are told; those after them are left out silently. */
const faultsMax = 100;

/** Unbounded labels (ids, keys) would fill the memory of this process and of Prometheus. */
function labelFault(
  name: string,
  { labelNames, seen }: Series,
  { labels, labelSetsMax }: { labels: Labels; labelSetsMax: number },
): string | undefined {
  const given = Object.keys(labels);
  if (given.length !== labelNames.length || labelNames.some((label) => !(label in labels))) {
    const known = labelNames.join(", ") || "(none)";
    return `The metric ${name} has the labels ${known}, and was given ${given.join(", ") || "(none)"}.`;
  }
  if (seen.size < labelSetsMax) return undefined;
  return (
    `The metric ${name} has more than ${labelSetsMax} label sets: one of its labels is not from ` +
    "a closed set."
  );
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
