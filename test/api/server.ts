import pino from "pino";
import { onTestFinished } from "vitest";

import { type ApiDependencies, type ApiOptions, buildApi } from "../../api/index.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import { Campus } from "./campus.ts";

/** Real time: the API's waits are short, and sockets know no other. */
export const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener("abort", done);
    }),
};

export interface Given {
  readonly options?: Partial<ApiOptions>;
  readonly deps?: Partial<ApiDependencies>;
  /** What stands between the server and the campus' log. */
  readonly before?: (log: RecordLog) => ApiDependencies["log"];
}

/** A server on a campus of its own, closed when the test ends. */
export async function serverOfTest(given: Given = {}) {
  const campus = await Campus.open();
  const app = buildApi({
    decider: campus,
    eventStore: campus.eventStore,
    reader: campus.reader,
    codec: campus.codec,
    log: given.before?.(campus.log) ?? campus.log,
    clock: realClock,
    random: new SeededRandom(),
    metrics: noMetrics,
    logger: pino({ level: "silent" }),
    health: () => [],
    metricsText: async () => "refold_up 1\n",
    ageMs: () => 12.4,
    options: { waitForMs: 60, waitPollMs: 1, streamEndMs: 100, ...given.options },
    ...given.deps,
  });
  onTestFinished(async () => {
    await app.close();
    await campus.log[Symbol.asyncDispose]();
  });
  await app.ready();
  return { app, campus };
}

export const row = {
  moduleCode: "MA101",
  title: "Algebra",
  capacity: 2,
  feeCents: 0,
  opensAt: null,
  closesAt: null,
};
