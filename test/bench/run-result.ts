import type { Figure } from "../../benchmarks/harness/figure.ts";
import { type RunResult, workloadResult } from "../../benchmarks/harness/result.ts";
import type { SettingValues, Workload } from "../../benchmarks/harness/workload.ts";

export const workload: Workload = {
  name: "fold",
  question: 'How fast is <it> & what\'s "beside" it?',
  warmUp: "none",
  settings: {
    events: { kind: "number", of: 100, least: 1, most: 1_000, what: "events in all" },
    into: { kind: "choice", of: "one", from: ["one", "both"], what: "where" },
  },
  program: "fold.ts",
  servers: [],
  repeats: 1,
  limitSeconds: 60,
};

export const rate = (value: number): Figure => ({
  name: "fold",
  unit: "events/s",
  value,
  better: "more",
  role: "measured",
});

/** A run of one workload whose one figure had these values. */
export function runOf(values: readonly number[], settings: SettingValues = {}): RunResult {
  const repeats = values.map((value) => ({
    figures: [rate(value), { ...rate(1_000), name: "walk", role: "ceiling" as const }],
    checked: ["rows equal"],
    notes: ["fsync=on"],
    seconds: 2.5,
    leftOut: ["Kafka, because there is none"],
  }));
  return {
    format: 1,
    startedAt: "2026-01-02T03:04:05.000Z",
    revision: { commit: "abc", dirty: false },
    machine: {
      processor: "A processor",
      processors: 2,
      memoryBytes: 2 ** 33,
      system: "linux",
      loadBefore: 0,
    },
    versions: { node: "24.0.0" },
    workloads: [workloadResult(workload, settings, repeats)],
  };
}
