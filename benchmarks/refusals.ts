/**
 * How quickly a client over its limit is refused while registration day runs: 10,000 users register
 * from 100 addresses, 200 at once, and one address asks for more than it may all the while. Needs a
 * system on which every address 127.x.y.z is one's own (Linux). Checked before a figure is printed:
 * nobody in the rush is refused for a limit, every seat is given once, the greedy address gets no
 * more than its bucket holds, and every refusal says why and when to come again.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { build, type Histogram } from "hdr-histogram-js";

import { Connection, headerOf, type RawAnswer } from "./_connection.ts";
import { measuredInstance, nobodyPutOff, offerModules } from "./_instance.ts";

const users = 10_000;
const modules = 20;
const capacity = 400;
const addresses = 100;
const connections = 200;
const greedy = { address: "127.0.9.9", connections: 10, pauseMs: 4 };
const bucket = { perSecond: 100, burst: 500 };
const target = { p99Ms: 50 };

const histogram = () => build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000 });

/** Records in microseconds how long an answer took. */
async function timed(latencies: Histogram, ask: () => Promise<RawAnswer>): Promise<RawAnswer> {
  const began = performance.now();
  const answer = await ask();
  latencies.recordValue(Math.round((performance.now() - began) * 1_000));
  return answer;
}

/** Gives the number of answers by status and code. */
async function rush(url: string, codes: readonly string[], latencies: Histogram) {
  const outcomes = new Map<string, number>();
  let next = 0;
  const one = async (_: unknown, index: number) => {
    const connection = await Connection.open(url, `127.0.1.${1 + (index % addresses)}`);
    while (next < users) {
      const user = next;
      next += 1;
      const body = { moduleCode: codes[user % codes.length], studentId: `student-${user}` };
      const answer = await timed(latencies, () => connection.post("/registrations", body));
      const { code = "" } = JSON.parse(answer.body) as { code?: string };
      const outcome = `${answer.status} ${code}`.trim();
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: connections }, one));
  return outcomes;
}

interface Greed {
  readonly refusals: Histogram;
  served: number;
}

/** Asks for availability without end, until it is told to stop. */
async function ask(url: string, code: string, greed: Greed, signal: AbortSignal): Promise<void> {
  const connection = await Connection.open(url, greedy.address);
  while (!signal.aborted) {
    const latency = histogram();
    const answer = await timed(latency, () => connection.get(`/modules/${code}/availability`));
    if (answer.status === 200) {
      greed.served += 1;
    } else {
      assertRefusal(answer);
      greed.refusals.add(latency);
      await sleep(greedy.pauseMs);
    }
  }
  connection.close();
}

function assertRefusal(answer: RawAnswer): void {
  const { code } = JSON.parse(answer.body) as { code?: string };
  const retryAfter = Number(headerOf(answer, "retry-after"));
  if (answer.status === 429 && code === "too-many-requests" && retryAfter >= 1) return;
  throw new Error(`An answer over the limit is ${answer.status} ${code}, not a refusal of it.`);
}

function check(outcomes: ReadonlyMap<string, number>, greed: Greed, seconds: number): void {
  const seats = modules * capacity;
  const given = outcomes.get("201") ?? 0;
  const full = outcomes.get("409 module-full") ?? 0;
  if (given !== seats || given + full !== users) {
    throw new Error(`The rush ended as ${JSON.stringify([...outcomes])}, not with ${seats} seats.`);
  }
  const most = bucket.burst + bucket.perSecond * (seconds + 1);
  if (greed.served < bucket.burst || greed.served > most) {
    throw new Error(`The greedy address got ${greed.served} answers; it may have ${most}.`);
  }
  if (greed.refusals.totalCount < 500) {
    throw new Error(`There were only ${greed.refusals.totalCount} refusals to measure.`);
  }
}

await using instance = await measuredInstance([
  "--limit",
  ...nobodyPutOff,
  `clientRequestsPerSecond=${bucket.perSecond}`,
  `clientRequestBurst=${bucket.burst}`,
]);
const { httpUrl } = instance;
// Once unmeasured, on modules of its own: compiled code is the usual state.
await rush(httpUrl, await offerModules(instance, { modules, capacity }), histogram());

const codes = await offerModules(instance, { modules, capacity });
const registrations = histogram();
const greed: Greed = { refusals: histogram(), served: 0 };
const stop = new AbortController();
const began = performance.now();
const asking = Array.from({ length: greedy.connections }, () =>
  ask(httpUrl, codes[0] ?? "", greed, stop.signal),
);
const outcomes = await rush(httpUrl, codes, registrations);
const seconds = (performance.now() - began) / 1_000;
stop.abort();
await Promise.all(asking);
check(outcomes, greed, seconds);

const ms = (latencies: Histogram, percentile: number) =>
  (latencies.getValueAtPercentile(percentile) / 1_000).toFixed(1);
console.log(`${users} users from ${addresses} addresses in ${seconds.toFixed(1)} s`);
console.log(`  registrations ms: p50 ${ms(registrations, 50)}, p99 ${ms(registrations, 99)}`);
console.log(`  greedy address: ${greed.served} answers, ${greed.refusals.totalCount} refusals`);
console.log(
  `refusals ms: p50 ${ms(greed.refusals, 50)}, p99 ${ms(greed.refusals, 99)}, ` +
    `max ${(greed.refusals.maxValue / 1_000).toFixed(1)} (target: p99 below ${target.p99Ms})`,
);
