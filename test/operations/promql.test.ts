import { expect, test } from "vitest";

import { expressionFaults, knownSeries } from "../../bin/monitoring/known-series.ts";
import { expressionOf } from "../../bin/monitoring/promql.ts";

const known = await knownSeries();

test("series, matchers, calls and grouping are found in an expression", () => {
  const text =
    'max_over_time((sum by (consumer) (a_total{state="x by (y)",b!="}"}))[1h:1m]) > on (z) b';
  expect(expressionOf(text)).toEqual({
    series: [
      { name: "a_total", labels: ["state", "b"], calls: ["max_over_time", "sum"] },
      { name: "b", labels: [], calls: [] },
    ],
    grouping: ["consumer", "z"],
  });
});

test("an aggregation may name its labels behind, and numbers aren't names", () => {
  expect(expressionOf("sum(rate(a[5m])) by (b) > 1e9 offset 5m").series).toEqual([
    { name: "a", labels: [], calls: ["sum", "rate"] },
  ]);
});

test.for([
  ["refold_unheard_of > 1", "nothing tells refold_unheard_of"],
  ['refold_lag_records{state="a"}', "refold_lag_records has no label state"],
  ["sum by (kind) (refold_lag_records)", "none of its series has the label kind"],
  ["rate(refold_lag_records[5m])", "refold_lag_records is a gauge, and has no rate"],
  ["refold_holes_total > 0", "refold_holes_total counts, and is used without a rate"],
  ["refold_flush_seconds > 0", "nothing tells refold_flush_seconds"],
  ["1 > 0", "it names no series"],
] as const)("%s is refused: %s", ([expression, fault]) => {
  expect(expressionFaults(expression, known)).toEqual([fault]);
});

test("labels that Prometheus sets, and a histogram's own, are known", () => {
  const text =
    "histogram_quantile(0.9, sum by (instance, le) (rate(refold_append_seconds_bucket[5m])))";
  expect(expressionFaults(text, known)).toEqual([]);
});
