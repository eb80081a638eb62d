import { expect, test } from "vitest";

import { application } from "../../bin/system/definitions.ts";
import { catalogue, PrometheusMetrics } from "../../connectors/prometheus/index.ts";
import type { Labels } from "../../engine/ports/metrics.ts";

const { projections, processors } = application;
const consumers = [...projections, ...processors].map(({ name }) => name);

/** The API has about 40 routes; a method and one status or two are theirs. */
const counts: Readonly<Record<string, number>> = { route: 40, partition: 10, state: 5, slot: 2 };

/** As many values as a label has in a process that runs everything. */
function valuesOf(label: string): readonly string[] {
  if (label === "consumer") return consumers;
  const count = counts[label] ?? 1;
  return Array.from({ length: count }, (_, at) => `${label}-${at}`);
}

function labelSets(labels: readonly string[]): Labels[] {
  return labels.reduce<Labels[]>(
    (sets, label) =>
      sets.flatMap((set) => valuesOf(label).map((value) => ({ ...set, [label]: value }))),
    [{}],
  );
}

/** Every series of the catalogue that all consumers at work would tell. */
function atWork(): PrometheusMetrics {
  const metrics = new PrometheusMetrics();
  for (const [name, { kind, labels }] of Object.entries(catalogue)) {
    for (const set of labelSets(labels)) {
      if (kind === "counter") metrics.count(name, 12_345, set);
      else if (kind === "gauge") metrics.gauge(name, 0.012_345, set);
      else metrics.observe(name, 0.012_345, set);
    }
  }
  return metrics;
}

const scrapes = 200;

// Processor time: what the machine does beside it is none of the scrape's.
test("a scrape of a process with all consumers at work takes less than 10 ms of its thread", async () => {
  const metrics = atWork();
  expect((await metrics.text()).split("\n").length).toBeGreaterThan(1_500);
  for (let warm = 0; warm < 50; warm += 1) await metrics.text();
  const tookMs: number[] = [];
  for (let scrape = 0; scrape < scrapes; scrape += 1) {
    const before = process.threadCpuUsage();
    await metrics.text();
    const { user, system } = process.threadCpuUsage(before);
    tookMs.push((user + system) / 1_000);
  }
  const p99 = tookMs.sort((a, b) => a - b)[scrapes * 0.99 - 1];
  expect(p99).toBeLessThan(10);
});
