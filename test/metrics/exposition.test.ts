import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";

import { Exposition } from "../../connectors/prometheus/exposition.ts";

function registryOfTest() {
  const registers = [new Registry()];
  const help = "Back\\slash and\nline";
  const counter = new Counter({ name: "done", help, registers, labelNames: ["kind", "by"] });
  const gauge = new Gauge({ name: "depth", help, registers });
  const labelled = new Gauge({ name: "age", help, registers, labelNames: ["of"] });
  const buckets = [0.1, 1];
  const histogram = new Histogram({ name: "took", help, registers, buckets, labelNames: ["of"] });
  const plain = new Histogram({ name: "waited", help, registers, buckets });
  const change = (): void => {
    counter.inc({ kind: 'quo"te\\ and\nline', by: "a" }, 2.5);
    counter.inc({ kind: "plain", by: "" });
    gauge.inc(0.1);
    for (const value of [NaN, Infinity, -Infinity, 1e21]) labelled.set({ of: `${value}` }, value);
    for (const value of [0.05, 0.5, 5]) {
      histogram.observe({ of: "x" }, value);
      histogram.observe({ of: "y,z" }, value * 2);
      plain.observe(value);
    }
  };
  return { registry: registers[0] as Registry, labelled, change };
}

test("the text is the library's own, before, between and after changes", async () => {
  const { registry, labelled, change } = registryOfTest();
  const exposition = new Exposition(registry);
  expect(await exposition.text()).toBe(await registry.metrics());
  change();
  expect(await exposition.text()).toBe(await registry.metrics());
  labelled.remove({ of: "NaN" });
  change();
  expect(await exposition.text()).toBe(await registry.metrics());
});

test("a process's own metrics are told with the same names and labels", async () => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "p_" });
  const series = (text: string) => text.split("\n").map((line) => line.replace(/ [^ ]+$/, ""));
  expect(series(await new Exposition(registry).text())).toEqual(series(await registry.metrics()));
});
