/**
 * Enrolments in three modules with one payment, over HTTP at 50/s whatever the answers take: how
 * long from the moment a request was due until somebody who looks at the event store finds its
 * `EnrolmentCompleted` committed. The sandbox charges each payment by card as it is opened. All that
 * the application runs is at work.
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
import { measuredInstance, type MeasuredInstance, offerModules, waitUntil } from "./_instance.ts";
import { openLoop } from "./_open-loop.ts";
import { treeSeconds } from "./_processor-time.ts";

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    rate: { type: "string", default: "50" },
    seconds: { type: "string", default: "20" },
  },
});
const perSecond = Number(values.rate);
const seconds = Number(values.seconds);
const warmUpSeconds = 5;
const modules = 30;
const perEnrolment = 3;
const feeCents = 2_500;
const connections = 50;
const target = { p99Ms: 500 };
interface Enrolled extends KeptEnrolment {
  readonly dueMs: number;
  readonly answeredMs: number;
}

/** Three that are spread, so that no module is in every enrolment. */
const codesOf = (codes: readonly string[], index: number): string[] =>
  [0, 7, 17].map((step) => codes[(index + step) % codes.length] ?? "");

async function enrol(
  { httpUrl }: MeasuredInstance,
  all: readonly string[],
  turns: number,
): Promise<Enrolled[]> {
  const enrolled: Enrolled[] = [];
  const run = randomUUID().slice(0, 8);
  await openLoop({
    httpUrl,
    perSecond,
    connections,
    turns,
    send: async (connection, { index, dueMs }) => {
      const body = { studentId: `${run}-${index}`, moduleCodes: codesOf(all, index) };
      const key = { "idempotency-key": `"${run}-${index}"` };
      const answer = await connection.post("/enrolments", body, key);
      if (answer.status !== 202 && answer.status !== 201) {
        throw new Error(`An enrolment was answered ${answer.status} ${answer.body}.`);
      }
      const { enrolmentId } = JSON.parse(answer.body) as { enrolmentId: string };
      const { studentId, moduleCodes: codes } = body;
      enrolled.push({ enrolmentId, studentId, codes, dueMs, answeredMs: performance.now() });
    },
  });
  return enrolled;
}

const ms = (latencies: Histogram, percentile: number): string =>
  (latencies.getValueAtPercentile(percentile) / 1_000).toFixed(0);

const told = (latencies: Histogram): string =>
  `p50 ${ms(latencies, 50)}, p90 ${ms(latencies, 90)}, p99 ${ms(latencies, 99)}, ` +
  `max ${(latencies.maxValue / 1_000).toFixed(0)} ms`;

const histogram = (): Histogram =>
  build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000 });

async function run(
  instance: MeasuredInstance,
  watch: CompletionWatch,
  turns: number,
): Promise<Enrolled[]> {
  const codes = await offerModules(instance, { modules, capacity: turns, feeCents });
  const enrolled = await enrol(instance, codes, turns);
  await waitUntil("every enrolment is completed", async () =>
    enrolled.every(({ enrolmentId }) => watch.foundMs.has(enrolmentId)),
  );
  return enrolled;
}

await using instance = await measuredInstance([], { REFOLD_SANDBOX_CARD: "tok_ok" });
const watch = new CompletionWatch();
const stop = new AbortController();
const watching = watch.run(instance.databaseUrl, stop.signal);
await using _ = {
  [Symbol.asyncDispose]: () => {
    stop.abort();
    return watching;
  },
};
// Once unmeasured, on modules of its own: compiled code and open connections are the usual state.
await run(instance, watch, perSecond * warmUpSeconds);

const before = treeSeconds(instance.pid) ?? Number.NaN;
const began = performance.now();
const enrolled = await run(instance, watch, perSecond * seconds);
const tookSeconds = (performance.now() - began) / 1_000;
const used = (treeSeconds(instance.pid) ?? Number.NaN) - before;
await assertEnrolled(instance, { enrolled, feeCents });

const answered = histogram();
const completed = histogram();
for (const { enrolmentId, dueMs, answeredMs } of enrolled) {
  answered.recordValue(Math.round((answeredMs - dueMs) * 1_000));
  completed.recordValue(Math.round(((watch.foundMs.get(enrolmentId) ?? NaN) - dueMs) * 1_000));
}
console.log(
  `${enrolled.length} enrolments in ${perEnrolment} of ${modules} modules, ${perSecond}/s, each ` +
    `paid once\n  answered: ${told(answered)}\n` +
    `  processor time of each: ${((used * 1e3) / enrolled.length).toFixed(1)} ms ` +
    `(${(used / tookSeconds).toFixed(2)} of ${availableParallelism()} cores), ` +
    `load ${loadavg()[0]?.toFixed(1)}\n` +
    `completed: ${told(completed)} (target: p99 below ${target.p99Ms} ms)`,
);
