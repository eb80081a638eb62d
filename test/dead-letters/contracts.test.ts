import { expect, test } from "vitest";

import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { breaking, garbled, Trails } from "./trails.ts";

test("a record that breaks its contract is set aside at once, and counted by its cause", async () => {
  const deadLetters = new MemoryDeadLetters();
  const counted = new Map<string, number>();
  const metrics = {
    ...noMetrics,
    count: (name: string, by: number, labels: Readonly<Record<string, string>> = {}) => {
      const of = [name, labels["cause"]].filter((one) => one !== undefined).join(" ");
      counted.set(of, (counted.get(of) ?? 0) + by);
    },
  };
  const store = new MemoryReadModelStore({ deadLetters });
  const trails = new Trails({ deadLetters, store, seed: 1, crashOneIn: 0, metrics });
  await trails.open();
  await trails.append([
    { code: "a", by: garbled },
    { code: "a", by: 1 },
    { code: "b", by: breaking },
  ]);
  await trails.work();
  const failed = await trails.letters("failed");
  expect(failed.map(({ cause }) => cause).sort((a, b) => a.localeCompare(b))).toEqual([
    "fold",
    "unframed",
  ]);
  expect(failed.map(({ attempts }) => attempts)).toEqual([1, 1]);
  // A fold that throws is our own fault, and a letter that waits is nobody's.
  expect(counted.get("contract_breaches_total unframed")).toBe(1);
  expect(counted.get("contract_breaches_total schema-unknown")).toBe(0);
  expect([...counted.keys()].filter((name) => name.includes("fold"))).toEqual([]);
  expect(counted.get("retries_total")).toBe(0);
});
