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

test("refuses more label sets than its bound", () => {
  const metrics = new PrometheusMetrics({ ...quiet, labelSetsMax: 2 });
  metrics.count("x_total", 1, { id: "1" });
  metrics.count("x_total", 1, { id: "2" });
  metrics.count("x_total", 1, { id: "1" });
  expect(() => metrics.count("x_total", 1, { id: "3" })).toThrow(InvariantViolation);
});

test("refuses labels other than those of the first value", () => {
  const metrics = new PrometheusMetrics(quiet);
  metrics.count("x_total", 1, { a: "1" });
  expect(() => metrics.count("x_total", 1)).toThrow(/has the labels a/);
});
