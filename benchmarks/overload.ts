/**
 * Ten times as many registrations as the surge's aim, from open loop, without a second try: what a
 * server does that can't keep up. Checked before a figure is printed: every answer is a yes, a no of
 * the rules, or 429 or 503 with Retry-After; every accepted registration is in the read model, and no
 * other; and a registration is answered as on a quiet day again some time after the end.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { AnswerTally } from "./_answer-tally.ts";
import { Connection, headerOf, type RawAnswer } from "./_connection.ts";
import { measuredInstance, offerModules, queryRows, waitUntil } from "./_instance.ts";
import { openLoop } from "./_open-loop.ts";
import { processSeconds } from "./_processor-time.ts";

const target = { overWithinMs: 10_000, quietMs: 500, p99Ms: 500 };
const modules = 20;
const capacity = 5_000;
const connections = 500;

const { values } = parseArgs({
  strict: false,
  options: {
    "per-second": { type: "string", default: "10000" },
    seconds: { type: "string", default: "10" },
  },
});
const perSecond = Number(values["per-second"]);
const turns = perSecond * Number(values["seconds"]);

// The burst of one address is that of the whole crowd, which comes from one here.
await using instance = await measuredInstance();
const codes = await offerModules(instance, { modules, capacity });
interface Asked {
  readonly moduleCode: string;
  readonly dueMs: number;
}

const accepted = new Map<string, string>();
const answers = new Map<string, number>();

/** How long clients are told to stay away, in seconds. */
const putOffFor: number[] = [];

function keep(answer: RawAnswer, { moduleCode, dueMs }: Asked): void {
  const body = JSON.parse(answer.body) as { registrationId?: string; code?: string };
  const kind = `${answer.status} ${body.code ?? ""}`.trim();
  answers.set(kind, (answers.get(kind) ?? 0) + 1);
  if (answer.status === 201) accepted.set(String(body.registrationId), moduleCode);
  const putOff = answer.status === 429 || answer.status === 503;
  tally.add(putOff ? "put off" : "settled", dueMs);
  if (putOff) putOffFor.push(retryAfterOf(answer, kind));
  if (!putOff && answer.status !== 201 && kind !== "409 module-full") {
    throw new Error(`A registration was answered ${answer.status} ${answer.body}.`);
  }
}

function retryAfterOf(answer: RawAnswer, kind: string): number {
  const seconds = Number(headerOf(answer, "retry-after"));
  if (seconds >= 1) return seconds;
  throw new Error(`${kind} came without Retry-After.`);
}

const usedBefore = processSeconds(instance.pid) ?? Number.NaN;
const began = performance.now();
const tally = new AnswerTally(began);
await openLoop({
  httpUrl: instance.httpUrl,
  perSecond,
  connections,
  turns,
  send: async (connection, { index, dueMs }) => {
    const moduleCode = codes[index % codes.length] ?? "";
    const body = { moduleCode, studentId: `student-${index}` };
    keep(await connection.post("/registrations", body), { moduleCode, dueMs });
  },
});
const ended = performance.now();
const usedSeconds = (processSeconds(instance.pid) ?? Number.NaN) - usedBefore;
const overAfterMs = await untilQuiet(ended);
await assertKept();

for (const [kind, count] of answers) console.log(`  ${kind}: ${count}`);
for (const line of tally.lines()) console.log(`  ${line}`);
const longest = putOffFor.reduce((most, seconds) => Math.max(most, seconds), 0);
const mean = putOffFor.reduce((sum, seconds) => sum + seconds, 0) / Math.max(1, putOffFor.length);
console.log(`  put off for ${mean.toFixed(1)} s on average, ${longest} s at most`);
console.log(
  `  the server used ${usedSeconds.toFixed(1)} s of a processor, ` +
    `${((usedSeconds * 1e6) / turns).toFixed(0)} µs for an answer of either kind ` +
    `(target: settled within ${target.p99Ms} ms, p99)`,
);
console.log(
  `${turns} registrations at ${perSecond}/s, all answered in ` +
    `${((ended - began) / 1_000).toFixed(1)} s; ${accepted.size} accepted, none lost`,
);
console.log(
  `over ${(overAfterMs / 1_000).toFixed(1)} s after its end ` +
    `(target: within ${target.overWithinMs / 1_000} s)`,
);

/** Milliseconds until registrations are answered in good time again, three in a row. */
async function untilQuiet(endedMs: number): Promise<number> {
  const [code] = await offerModules(instance, { modules: 1, capacity });
  let inTime = 0;
  for (let turn = 0; inTime < 3; turn += 1) {
    const connection = await Connection.open(instance.httpUrl);
    const sentMs = performance.now();
    const body = { moduleCode: code ?? "", studentId: `afterwards-${turn}` };
    const { status } = await connection.post("/registrations", body);
    connection.close();
    const quick = performance.now() - sentMs < target.quietMs;
    inTime = status === 201 && quick ? inTime + 1 : 0;
    if (inTime === 0) await sleep(50);
    if (performance.now() - endedMs > 6 * target.overWithinMs) {
      throw new Error(`It was not over ${(6 * target.overWithinMs) / 1_000} s after its end.`);
    }
  }
  return performance.now() - endedMs;
}

async function assertKept(): Promise<void> {
  await waitUntil("the read model holds every accepted registration", async () => {
    const rows = await queryRows<{ registration_id: string }>(
      instance,
      `select registration_id from read."registrations" where module_code = any ($1)`,
      [codes],
    );
    const stray = rows.find((row) => !accepted.has(row.registration_id));
    if (stray !== undefined) throw new Error(`${stray.registration_id} was given to nobody.`);
    return rows.length === accepted.size;
  });
}
