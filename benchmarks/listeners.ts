/**
 * Thousands of event streams on one server process, each on one module, held by another process. The
 * clock starts with the answer to a registration and stops when a listener of its module has an
 * update that contains it. Checked before a figure is printed: every listener heard of every seat.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { measuredInstance, offerModules } from "./_instance.ts";
import type { FromListening, ToListening } from "./_listening.ts";
import { openLoop } from "./_open-loop.ts";
import { processSeconds } from "./_processor-time.ts";

const target = { withinMs: 1_000, memoryMiB: 1_024 };
const modules = 100;
const connections = 50;
/** What may still be on its way when the last registration is answered. */
const restMs = 3_000;

const { values } = parseArgs({
  strict: false,
  options: {
    listeners: { type: "string", default: "10000" },
    "per-second": { type: "string", default: "300" },
    seconds: { type: "string", default: "15" },
  },
});
const listeners = Number(values["listeners"]);
const perSecond = Number(values["per-second"]);
const seconds = Number(values["seconds"]);

const most = String(listeners + 1_000);
const limits = [`listenersMax=${most}`, `clientListenersMax=${most}`, "clientRequestBurst=100000"];
await using instance = await measuredInstance(["--limit", ...limits]);
const { httpUrl, pid } = instance;
const codes = await offerModules(instance, { modules, capacity: 1_000_000 });

const listening = fork(new URL("./_listening.ts", import.meta.url).pathname, {
  execArgv: ["--disable-warning=ExperimentalWarning"],
});
const ask = async (message: ToListening): Promise<FromListening> => {
  const answered = once(listening, "message") as Promise<[FromListening]>;
  listening.send(message);
  const [answer] = await answered;
  if (answer.kind === "failed") throw new Error(`Listening failed: ${answer.reason}`);
  return answer;
};

try {
  const wanted = Array.from({ length: listeners }, (_, at) => codes[at % codes.length] ?? "");
  const began = performance.now();
  await ask({ kind: "open", url: httpUrl, modules: wanted });
  const openedMs = performance.now() - began;
  const before = processSeconds(pid) ?? Number.NaN;
  const answeredAtMs = await registered();
  await sleep(restMs);
  const usedSeconds = (processSeconds(pid) ?? Number.NaN) - before;
  const judged = await ask({ kind: "judge", answeredAtMs });
  if (judged.kind !== "judged") throw new Error("The listening process did not judge.");
  const { missed, messages, percentiles } = judged;
  if (missed > 0) throw new Error(`Listeners never heard of ${missed} seats.`);
  const text = [50, 99, 100].map((one) => (percentiles[one] ?? Number.NaN).toFixed(0));
  console.log(
    `${listeners} event streams on ${modules} modules, opened in ${(openedMs / 1_000).toFixed(1)} s; ` +
      `${perSecond} registrations/s for ${seconds} s`,
  );
  console.log(
    `  ${Math.round(messages / seconds)} messages/s, ` +
      `${(messages / listeners / seconds).toFixed(1)} for each listener; processor time of the ` +
      `server ${((usedSeconds * 1_000_000) / messages).toFixed(1)} µs a message`,
  );
  console.log(`  memory of the server, at most: ${peakMiB(pid)} MiB (target: ${target.memoryMiB})`);
  console.log(
    `from the answer to the listener, ms: p50 ${text[0]}, p99 ${text[1]}, most ${text[2]} ` +
      `(target: all within ${target.withinMs})`,
  );
} finally {
  listening.kill();
}

/** By module, in order: when each seat was answered for. */
async function registered(): Promise<Record<string, number[]>> {
  const answeredAtMs = Object.fromEntries(codes.map((code) => [code, [] as number[]]));
  await openLoop({
    httpUrl,
    perSecond,
    connections,
    turns: perSecond * seconds,
    send: async (connection, { index }) => {
      const moduleCode = codes[index % codes.length] ?? "";
      const body = { moduleCode, studentId: `student-${index}` };
      const answer = await connection.post("/registrations", body);
      if (answer.status !== 201) throw new Error(`A registration was answered ${answer.body}.`);
      answeredAtMs[moduleCode]?.push(performance.timeOrigin + performance.now());
    },
  });
  return answeredAtMs;
}

/** Resident memory at its peak; undefined where there is no /proc. */
function peakMiB(of: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${of}/status`, "utf8");
    return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1_024);
  } catch {
    return undefined;
  }
}
