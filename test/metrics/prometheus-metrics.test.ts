import { expect, test } from "vitest";

import { PrometheusMetrics } from "../../connectors/prometheus/index.ts";
import { InvariantViolation } from "../../engine/errors.ts";

const quiet = { processMetrics: "leave out" } as const;

test("counts, gauges and histograms appear under the prefix with their labels", async () => {
  const metrics = new PrometheusMetrics(quiet);
  metrics.count("records_applied_total", 3, { consumer: "seats" });
  metrics.count("records_applied_total", 2, { consumer: "seats" });
  metrics.gauge("lag_records", 7, { partition: "1", consumer: "seats" });
  metrics.observe("flush_seconds", 0.002, { consumer: "seats" });
  const text = await metrics.text();
  expect(text).toContain('refold_records_applied_total{consumer="seats"} 5');
  expect(text).toMatch(/refold_lag_records\{.*partition="1".*\} 7/);
  expect(text).toContain('refold_flush_seconds_bucket{le="0.0025",consumer="seats"} 1');
  expect(text).toContain('refold_flush_seconds_bucket{le="0.001",consumer="seats"} 0');
});

test("metrics of the process are there by default", async () => {
  expect(await new PrometheusMetrics().text()).toContain("refold_process_cpu_seconds_total");
});

const visits = { kind: "counter", help: "Visits.", labels: ["consumer"] } as const;

test("refuses more label sets than its bound", () => {
  const options = { ...quiet, labelSetsMax: 2, metrics: { visits_total: visits } };
  const metrics = new PrometheusMetrics(options);
  metrics.count("visits_total", 1, { consumer: "1" });
  metrics.count("visits_total", 1, { consumer: "2" });
  metrics.count("visits_total", 1, { consumer: "1" });
  expect(() => metrics.count("visits_total", 1, { consumer: "3" })).toThrow(InvariantViolation);
});

test("refuses labels other than the catalogue's", () => {
  const metrics = new PrometheusMetrics(quiet);
  expect(() => metrics.count("holes_total", 1)).toThrow(/has the labels consumer/);
  expect(() => metrics.count("holes_total", 1, { route: "/" })).toThrow(/was given route/);
});

test("refuses a metric that the catalogue has not, or has as another kind", () => {
  const metrics = new PrometheusMetrics(quiet);
  expect(() => metrics.count("unheard_of_total", 1)).toThrow(InvariantViolation);
  expect(() => metrics.gauge("holes_total", 1, { consumer: "seats" })).toThrow(/no gauge/);
});

test("a gauge that is dropped is told no more", async () => {
  const metrics = new PrometheusMetrics(quiet);
  metrics.gauge("lag_records", 7, { partition: "t/1", consumer: "seats" });
  metrics.drop("lag_records", { partition: "t/1", consumer: "seats" });
  expect(await metrics.text()).not.toContain("t/1");
});

test("faults are told once each and leave out the value where somebody listens", async () => {
  const told: string[] = [];
  const metrics = new PrometheusMetrics({ ...quiet, onFault: (fault) => told.push(fault) });
  for (const _ of [1, 2]) metrics.count("unheard_of_total", 1);
  metrics.count("holes_total", 1, { route: "/" });
  expect(told).toHaveLength(2);
  expect(await metrics.text()).not.toContain('route="/"');
});
