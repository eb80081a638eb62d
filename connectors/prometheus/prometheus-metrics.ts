import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

import { InvariantViolation } from "../../engine/errors.ts";
import type { Labels, Metrics } from "../../engine/ports/metrics.ts";

export interface PrometheusMetricsOptions {
  /** Put before every name. */
  readonly prefix?: string;
  /** Metrics of the process (memory, event loop, garbage collection) beside ours. */
  readonly processMetrics?: "collect" | "leave out";
  /** A metric with more label sets than this is a fault in the code that labels it. */
  readonly labelSetsMax?: number;
  /** Upper bounds of histograms by name, where the default ones (for seconds) don't fit. */
  readonly buckets?: Readonly<Record<string, readonly number[]>>;
}

/** Seconds: from half a millisecond to half a minute. */
const secondsBuckets = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
const defaultBuckets: Readonly<Record<string, readonly number[]>> = {
  batch_records: [1, 10, 50, 100, 500, 1_000, 2_500, 5_000, 10_000, 20_000],
};

/** What each metric says, for the HELP lines; the engine's names without the prefix. */
const help: Readonly<Record<string, string>> = {
  records_applied_total: "Records applied by a consumer.",
  duplicates_dropped_total: "Records dropped because they were applied before.",
  holes_total: "Missing sequences found; each halts its partition.",
  dead_letters_total: "Records set aside.",
  retries_total: "Steps tried again after a transient error.",
  fenced_flushes_total: "Flushes refused because another writer owns a partition.",
  flush_seconds: "Seconds that a flush took.",
  batch_records: "Records in a flush.",
  lag_records: "Records behind the end of the partition.",
  lag_seconds: "Seconds behind the end of the partition.",
  freshness_seconds: "Seconds from an event's recorded time to its commit in a read model.",
  append_seconds: "Seconds that an append call took.",
  append_conflicts_total: "Appends refused because their condition no longer held.",
  events_appended_total: "Events appended to the event store.",
  capture_lag_bytes: "Bytes of write-ahead log that are not published yet.",
  capture_changes_total: "Row changes published.",
  http_request_seconds: "Seconds that an HTTP answer took.",
};

interface Series<Metric> {
  readonly metric: Metric;
  readonly labelNames: readonly string[];
  readonly seen: Set<string>;
}

/**
 * The metrics port on prom-client. A metric comes into being with its first value, which fixes its
 * label names.
 */
export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #prefix: string;
  readonly #labelSetsMax: number;
  readonly #buckets: Readonly<Record<string, readonly number[]>>;
  readonly #counters = new Map<string, Series<Counter>>();
  readonly #gauges = new Map<string, Series<Gauge>>();
  readonly #histograms = new Map<string, Series<Histogram>>();

  constructor(options: PrometheusMetricsOptions = {}) {
    this.#prefix = options.prefix ?? "refold_";
    this.#labelSetsMax = options.labelSetsMax ?? 1_000;
    this.#buckets = { ...defaultBuckets, ...options.buckets };
    if (options.processMetrics !== "leave out") {
      collectDefaultMetrics({ register: this.#registry, prefix: this.#prefix });
    }
  }

  count(name: string, by: number, labels: Labels = {}): void {
    const series = this.#series(this.#counters, { name, labels, make: (c) => new Counter(c) });
    series.metric.inc(labels, by);
  }

  gauge(name: string, value: number, labels: Labels = {}): void {
    const series = this.#series(this.#gauges, { name, labels, make: (c) => new Gauge(c) });
    series.metric.set(labels, value);
  }

  observe(name: string, value: number, labels: Labels = {}): void {
    const series = this.#series(this.#histograms, {
      name,
      labels,
      make: (common) =>
        new Histogram({ ...common, buckets: [...(this.#buckets[name] ?? secondsBuckets)] }),
    });
    series.metric.observe(labels, value);
  }

  /** The media type of `text()`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #series<Metric>(
    all: Map<string, Series<Metric>>,
    asked: { name: string; labels: Labels; make: (common: Common) => Metric },
  ): Series<Metric> {
    const { name, labels, make } = asked;
    let series = all.get(name);
    if (!series) {
      const labelNames = Object.keys(labels).sort();
      const common = { name: this.#prefix + name, help: help[name] ?? name, labelNames };
      const metric = make({ ...common, registers: [this.#registry] });
      series = { metric, labelNames, seen: new Set() };
      all.set(name, series);
    }
    this.#assertBounded(name, series, labels);
    return series;
  }

  /** Unbounded labels (ids, keys) would fill the memory of this process and of Prometheus. */
  #assertBounded(name: string, series: Series<unknown>, labels: Labels): void {
    let set = "";
    for (const label of series.labelNames) set += `${labels[label] ?? ""}\u0000`;
    if (series.seen.has(set)) return;
    if (Object.keys(labels).length !== series.labelNames.length) {
      throw new InvariantViolation(
        `The metric ${name} has the labels ${series.labelNames.join(", ") || "(none)"}, and was given ${Object.keys(labels).join(", ") || "(none)"}.`,
      );
    }
    if (series.seen.size >= this.#labelSetsMax) {
      throw new InvariantViolation(
        `The metric ${name} has more than ${this.#labelSetsMax} label sets: one of its labels is not from a closed set.`,
      );
    }
    series.seen.add(set);
  }
}

interface Common {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
}
