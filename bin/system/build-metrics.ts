import type { Clock } from "../../engine/ports/clock.ts";
import type { Generations } from "../../engine/ports/generations.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type { RebuildRecord, Rebuilds } from "../../engine/ports/rebuilds.ts";
import { openRebuildStates } from "../../engine/rebuild-states.ts";
import { recordsPerSecondOf } from "../rebuild/progress-text.ts";
import { keepHouse } from "./housekeeping.ts";

export interface BuildMetricsOptions {
  readonly generations: Pick<Generations, "list">;
  readonly rebuilds: Pick<Rebuilds, "list">;
  readonly projections: readonly { readonly name: string }[];
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly report: (message: string) => void;
}

const everyMs = 2_000;

/** Tells which builds serve and how far open rebuilds are, whoever conducts them. */
export function tellBuilds(options: BuildMetricsOptions): AsyncDisposable {
  const run = () => tell(options);
  return keepHouse({ ...options, everyMs, chores: [{ name: "Telling of generations", run }] });
}

async function tell({ generations, rebuilds, projections, metrics }: BuildMetricsOptions) {
  const builds = await generations.list();
  const limit = Math.max(1, projections.length);
  const open = await rebuilds.list({ states: openRebuildStates, limit });
  for (const { name } of projections) {
    const labels = { consumer: name };
    const own = builds.filter(({ projection }) => projection === name);
    const serving = own.find(({ role }) => role === "serving");
    if (serving === undefined) continue;
    metrics.gauge("serving_generation", serving.generation, labels);
    metrics.gauge("serving_version", serving.version, labels);
    metrics.gauge("generations", own.length, labels);
    tellRebuild(
      metrics,
      name,
      open.find(({ request }) => request.projection === name),
    );
  }
}

function tellRebuild(metrics: Metrics, consumer: string, record: RebuildRecord | undefined): void {
  const { done = 0, total = 0, throttledMs = 0 } = record?.progress ?? {};
  const labels = { consumer };
  metrics.gauge("rebuild_open", record === undefined ? 0 : 1, labels);
  metrics.gauge("rebuild_records_done", done, labels);
  metrics.gauge("rebuild_records", total, labels);
  metrics.gauge("rebuild_records_per_second", record ? recordsPerSecondOf(record) : 0, labels);
  metrics.gauge("rebuild_throttled_seconds", throttledMs / 1_000, labels);
}
