import { expect, test } from "vitest";

import { runProgram } from "../../benchmarks/harness/program.ts";
import { workloads } from "../../benchmarks/harness/catalogue.ts";

test("a catch-up into Redis compares Redis' rows, and is never ahead of Postgres", async () => {
  const workload = workloads.find(({ name }) => name === "catch-up");
  if (workload === undefined) throw new Error("There is no workload catch-up.");
  const { figures, checked } = await runProgram({
    workload,
    settings: { events: 20_000, keys: 500, from: "embedded", into: "redis" },
    environment: process.env,
    signal: new AbortController().signal,
  });
  expect(checked).toEqual(["500 rows of Redis equal counts made without the engine"]);
  const rate = (name: string): number => figures.find((one) => one.name === name)?.value ?? 0;
  expect(rate("catch-up into Redis")).toBeGreaterThan(0);
  expect(rate("catch-up into Redis")).toBeLessThanOrEqual(rate("of it, into Postgres"));
});
