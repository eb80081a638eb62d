/**
 * Registration day over HTTP: 10,000 users register for 20 modules, 200 at once, with seats for
 * part of them. Checked before a figure is printed: no module is oversold, each is filled as far as
 * its users go, and the read models hold every accepted registration and no other.
 */
import { build, type Histogram } from "hdr-histogram-js";

import { Connection, type RawAnswer } from "./_connection.ts";
import {
  measuredInstance,
  nobodyPutOff,
  type MeasuredInstance,
  offerModules,
  queryRows,
} from "./_instance.ts";
import { untilRegistered } from "./_registered.ts";

const users = 10_000;
const modules = 20;
const connections = 200;
const capacity = 400;
const target = { answersPerSecond: 2_000, p99Ms: 500 };

interface Outcome {
  readonly accepted: Map<string, string>;
  readonly tries: Map<string, number>;
  readonly statuses: Map<string, number>;
}

async function rush(url: string, codes: readonly string[], latencies: Histogram): Promise<Outcome> {
  const open = await Promise.all(Array.from({ length: connections }, () => Connection.open(url)));
  const outcome: Outcome = { accepted: new Map(), tries: new Map(), statuses: new Map() };
  let next = 0;
  await Promise.all(
    open.map(async (connection) => {
      while (next < users) {
        const user = next;
        next += 1;
        const moduleCode = codes[user % codes.length] ?? "";
        const began = performance.now();
        const answer = await connection.post("/registrations", {
          moduleCode,
          studentId: `student-${user}`,
        });
        latencies.recordValue(Math.round((performance.now() - began) * 1_000));
        keep(outcome, moduleCode, answer);
      }
      connection.close();
    }),
  );
  return outcome;
}

function keep({ accepted, tries, statuses }: Outcome, moduleCode: string, answer: RawAnswer): void {
  const body = JSON.parse(answer.body) as { registrationId?: string; code?: string };
  tries.set(moduleCode, (tries.get(moduleCode) ?? 0) + 1);
  const kind = `${answer.status} ${body.code ?? ""}`.trim();
  statuses.set(kind, (statuses.get(kind) ?? 0) + 1);
  if (answer.status === 201) accepted.set(String(body.registrationId), moduleCode);
}

async function check(instance: MeasuredInstance, outcome: Outcome): Promise<void> {
  const { accepted, statuses, tries } = outcome;
  const strange = [...statuses.keys()].filter((kind) => !/^(201|409 module-full)$/.test(kind));
  if (strange.length > 0) throw new Error(`Unexpected answers: ${strange.join(", ")}.`);
  const codes = [...tries.keys()];
  const taken = new Map(codes.map((code) => [code, 0]));
  for (const code of accepted.values()) taken.set(code, (taken.get(code) ?? 0) + 1);
  for (const [code, seats] of taken) {
    const expected = Math.min(capacity, tries.get(code) ?? 0);
    if (seats !== expected) throw new Error(`${code} gave ${seats} seats instead of ${expected}.`);
  }
  await untilRegistered(instance, { codes, accepted });
  const seats = await queryRows<{ module_code: string; confirmed: number }>(
    instance,
    `select module_code, confirmed from read."seat-availability" where module_code = any ($1)`,
    [codes],
  );
  const wrong = seats.filter((row) => row.confirmed !== taken.get(row.module_code));
  if (seats.length !== codes.length || wrong.length > 0) {
    throw new Error(`seat-availability differs from the answers in ${JSON.stringify(wrong)}.`);
  }
}

const histogram = () => build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000 });

await using instance = await measuredInstance(["--limit", ...nobodyPutOff]);
// Once unmeasured, on modules of its own: compiled code and open connections are the usual state.
await rush(instance.httpUrl, await offerModules(instance, { modules, capacity }), histogram());

const codes = await offerModules(instance, { modules, capacity });
const latencies = histogram();
const began = performance.now();
const outcome = await rush(instance.httpUrl, codes, latencies);
const seconds = (performance.now() - began) / 1_000;
await check(instance, outcome);

const ms = (percentile: number) => latencies.getValueAtPercentile(percentile) / 1_000;
const rate = Math.round(users / seconds);
console.log(`${users} users, ${modules} modules of ${capacity} seats, ${connections} at once`);
for (const [kind, count] of outcome.statuses) console.log(`  ${kind}: ${count}`);
console.log(
  `  latency ms: p50 ${ms(50).toFixed(1)}, p90 ${ms(90).toFixed(1)}, p99 ${ms(99).toFixed(1)}, ` +
    `max ${(latencies.maxValue / 1_000).toFixed(1)} (target: p99 below ${target.p99Ms})`,
);
console.log(`${rate} answers/s (target: at least ${target.answersPerSecond})`);
