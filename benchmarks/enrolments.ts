/**
 * Enrolments in three modules with one payment, over HTTP at 50/s whatever the answers take: how
 * long from the moment a request was due until somebody who looks at the event store finds its
 * `EnrolmentCompleted` committed, and where the time goes. The sandbox charges each payment by card
 * as it is opened. All that the application runs is at work.
 *
 * Modules are on offer before the load begins. What is measured follows the warm-up without a pause,
 * so that processor time is that of a steady state: from the first request measured until the last
 * was due, by as many enrolments as were completed meanwhile.
 *
 * Checked before a figure is printed: each is completed once, with three completed registrations of
 * its own, one confirmed payment of their fees and one charge; and the seats add up.
 */
import { randomUUID } from "node:crypto";
import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";

import { build, type Histogram } from "hdr-histogram-js";
import { CompletionWatch } from "./_completion-watch.ts";
import { assertEnrolled, type KeptEnrolment } from "./_enrolled.ts";
import { hopsOf } from "./_enrolment-hops.ts";
import {
  measuredInstance,
  type MeasuredInstance,
  nobodyPutOff,
  offerModules,
  waitUntil,
} from "./_instance.ts";
import { openLoop } from "./_open-loop.ts";
import { processSeconds, treeSeconds } from "./_processor-time.ts";

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    rate: { type: "string", default: "50" },
    seconds: { type: "string", default: "20" },
  },
});
const perSecond = Number(values.rate);
const warmUp = perSecond * 5;
const measured = perSecond * Number(values.seconds);
const modules = 30;
const perEnrolment = 3;
const feeCents = 2_500;
const connections = 50;
const target = { p99Ms: 500 };

interface Enrolled extends KeptEnrolment {
  readonly index: number;
  readonly dueMs: number;
  readonly answeredMs: number;
}

/** Processor seconds used until now; NaN where it can't be told. */
interface Used {
  readonly atMs: number;
  readonly node: number;
  readonly postgres: number;
  readonly benchmark: number;
}

function usedNow({ pid }: MeasuredInstance): Used {
  const node = processSeconds(pid) ?? Number.NaN;
  const benchmark = processSeconds(process.pid) ?? Number.NaN;
  const postgres = (treeSeconds(pid) ?? Number.NaN) - node;
  return { atMs: performance.now(), node, postgres, benchmark };
}

/** Three that are spread, so that no module is in every enrolment. */
const codesOf = (codes: readonly string[], index: number): string[] =>
  [0, 7, 17].map((step) => codes[(index + step) % codes.length] ?? "");

interface Load {
  readonly enrolled: readonly Enrolled[];
  /** When the measured part began and ended. */
  readonly from: Used;
  readonly to: Used;
}

async function enrol(instance: MeasuredInstance, all: readonly string[]): Promise<Load> {
  const enrolled: Enrolled[] = [];
  const used: Used[] = [];
  const run = randomUUID().slice(0, 8);
  await openLoop({
    httpUrl: instance.httpUrl,
    perSecond,
    connections,
    turns: warmUp + measured,
    send: async (connection, { index, dueMs }) => {
      if (index === warmUp || index === warmUp + measured - 1) used.push(usedNow(instance));
      const body = { studentId: `${run}-${index}`, moduleCodes: codesOf(all, index) };
      const key = { "idempotency-key": `"${run}-${index}"` };
      const answer = await connection.post("/enrolments", body, key);
      if (answer.status !== 202 && answer.status !== 201) {
        throw new Error(`An enrolment was answered ${answer.status} ${answer.body}.`);
      }
      const { enrolmentId } = JSON.parse(answer.body) as { enrolmentId: string };
      const { studentId, moduleCodes: codes } = body;
      const answeredMs = performance.now();
      enrolled.push({ enrolmentId, studentId, codes, index, dueMs, answeredMs });
    },
  });
  const [from, to] = used as [Used, Used];
  return { enrolled, from, to };
}

const percentiles = (latencies: Histogram, ...wanted: readonly number[]): string =>
  wanted.map((p) => `p${p} ${(latencies.getValueAtPercentile(p) / 1_000).toFixed(0)}`).join(", ");

const told = (latencies: Histogram): string =>
  `${percentiles(latencies, 50, 90, 99)}, max ${(latencies.maxValue / 1_000).toFixed(0)} ms`;

function histogram(tookMs: readonly number[]): Histogram {
  const made = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000 });
  // The store's clock has whole milliseconds: what takes less may seem to take less than nothing.
  for (const ms of tookMs) made.recordValue(Math.max(0, Math.round(ms * 1_000)));
  return made;
}

function processorText({ from, to }: Load, completed: number): string {
  const seconds = (to.atMs - from.atMs) / 1_000;
  const share = (of: "node" | "postgres" | "benchmark"): string => {
    const used = to[of] - from[of];
    return `${((used * 1e3) / completed).toFixed(1)} ms (${(used / seconds).toFixed(2)} cores)`;
  };
  return (
    `  processor time of each: Node ${share("node")}, Postgres ${share("postgres")}, ` +
    `the benchmark ${share("benchmark")}, of ${availableParallelism()} cores, ` +
    `load ${loadavg()[0]?.toFixed(1)} (${completed} completed while ${measured} were due: a steady ` +
    "state where the two agree)"
  );
}

await using instance = await measuredInstance(["--limit", ...nobodyPutOff], {
  REFOLD_SANDBOX_CARD: "tok_ok",
});
const codes = await offerModules(instance, { modules, capacity: warmUp + measured, feeCents });
const watch = new CompletionWatch();
const stop = new AbortController();
const watching = watch.run(instance.databaseUrl, stop.signal);
await using _ = {
  [Symbol.asyncDispose]: () => {
    stop.abort();
    return watching;
  },
};

const load = await enrol(instance, codes);
const foundMs = ({ enrolmentId }: Enrolled): number => watch.foundMs.get(enrolmentId) ?? Number.NaN;
await waitUntil("every enrolment is completed", async () =>
  load.enrolled.every(({ enrolmentId }) => watch.foundMs.has(enrolmentId)),
);
await assertEnrolled(instance, { enrolled: load.enrolled, feeCents });

const enrolled = load.enrolled.filter(({ index }) => index >= warmUp);
const answered = histogram(enrolled.map(({ answeredMs, dueMs }) => answeredMs - dueMs));
const completed = histogram(enrolled.map((one) => foundMs(one) - one.dueMs));
const inWindow = load.enrolled.filter(
  (one) => foundMs(one) >= load.from.atMs && foundMs(one) < load.to.atMs,
);
const onWallClock = (ms: number): number => performance.timeOrigin + ms;
const hops = await hopsOf(
  instance,
  enrolled.map((one) => ({
    enrolmentId: one.enrolmentId,
    dueMs: onWallClock(one.dueMs),
    foundMs: onWallClock(foundMs(one)),
  })),
);
console.log(
  `${enrolled.length} enrolments in ${perEnrolment} of ${modules} modules, ${perSecond}/s, each ` +
    `paid once, after ${warmUp} to warm up\n  answered: ${told(answered)}\n` +
    `${processorText(load, inWindow.length)}\n` +
    hops
      .map(({ name, tookMs }) => `  ${name}: ${percentiles(histogram(tookMs), 50, 99)} ms\n`)
      .join("") +
    `completed: ${told(completed)} (target: p99 below ${target.p99Ms} ms)`,
);
