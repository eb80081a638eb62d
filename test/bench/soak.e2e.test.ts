import { expect, it } from "vitest";

import { workloadsNamed } from "../../benchmarks/harness/catalogue.ts";
import { runProgram } from "../../benchmarks/harness/program.ts";

it("a soak checks both of its processes, and judges no trend of a few seconds", async () => {
  const [workload] = workloadsNamed(["soak"]);
  if (workload === undefined) throw new Error("There is no soak.");
  const settings = { seconds: 3, connections: 4, events: 5_000, history: 100, warmUp: 20 };
  const { signal } = new AbortController();
  const soak = await runProgram({ workload, settings, environment: process.env, signal });
  expect(soak.failure).toBeUndefined();
  expect(soak.checked.join()).toMatch(/registrations.*; the rows of \d\d+ catch-ups equal counts/);
  expect(soak.leftOut?.join()).toContain("too short");
  const rate = (name: string) => soak.figures.find((figure) => figure.name === name)?.value ?? 0;
  expect(rate("registrations")).toBeGreaterThan(0);
  expect(rate("caught up, the compares included")).toBeGreaterThan(0);
});
