/**
 * Thousands of streams on one server process, each on one module, held by another process. The
 * clock starts with the answer to a registration and stops when a listener of its module has an
 * update that contains it. Checked before a figure is printed: every listener heard of every seat,
 * and none had updates more often than the server sends them of one module, but for how unevenly
 * they arrived. What a message costs is what the server takes more than for the same registrations
 * with nobody listening.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { measuredInstance, nobodyPutOff, offerModules } from "./_instance.ts";
import type { FromListening, StreamKind, ToListening } from "./_listening.ts";
import { openLoop } from "./_open-loop.ts";
import { processSeconds } from "./_processor-time.ts";

const target = { withinMs: 1_000, memoryMiB: 1_024 };
const modules = 100;
const connections = 50;
/** What may still be on its way when the last registration is answered. */
const restMs = 3_000;
/** Of a registration that the server refuses because it is behind. */
const triesMax = 50;
const retryMs = 500;

const { values } = parseArgs({
  strict: false,
  options: {
    listeners: { type: "string", default: "10000" },
    "per-second": { type: "string", default: "300" },
    seconds: { type: "string", default: "15" },
    // The same through WebSockets.
    websocket: { type: "boolean", default: false },
  },
});
const stream: StreamKind = values["websocket"] === true ? "websocket" : "events";
const listeners = Number(values["listeners"]);
const perSecond = Number(values["per-second"]);
const seconds = Number(values["seconds"]);

const most = String(listeners + 1_000);
const limits = [
  ...nobodyPutOff,
  `listenersMax=${most}`,
  `clientListenersMax=${most}`,
  "clientRequestBurst=100000",
];
await using instance = await measuredInstance(["--limit", ...limits]);
const { httpUrl, pid } = instance;
const codes = await offerModules(instance, { modules, capacity: 1_000_000 });

const listening = fork(new URL("./_listening.ts", import.meta.url).pathname, {
  execArgv: ["--disable-warning=ExperimentalWarning"],
});
const streamNames = { events: "event streams", websocket: "WebSockets" } as const;
let students = 0;
let refused = 0;

const ask = async (message: ToListening): Promise<FromListening> => {
  const answered = once(listening, "message") as Promise<[FromListening]>;
  listening.send(message);
  const [answer] = await answered;
  if (answer.kind === "failed") throw new Error(`Listening failed: ${answer.reason}`);
  return answer;
};

try {
  const alone = await registering(seconds);
  const wanted = Array.from({ length: listeners }, (_, at) => codes[at % codes.length] ?? "");
  const began = performance.now();
  const usedBefore = processSeconds(pid) ?? Number.NaN;
  await ask({ kind: "open", url: httpUrl, stream, modules: wanted });
  const openedMs = performance.now() - began;
  const openedCpuUs = (((processSeconds(pid) ?? Number.NaN) - usedBefore) * 1e6) / listeners;
  const opened = `${(openedMs / 1_000).toFixed(1)} s, ${openedCpuUs.toFixed(0)} µs of the server each`;
  const heard = await registering(seconds);
  const judged = await ask({ kind: "judge", before: alone.answeredAtMs, ...heard });
  if (judged.kind !== "judged") throw new Error("The listening process did not judge.");
  const { missed, messages, percentiles, mostInASecond, earlyMs } = judged;
  if (missed > 0) throw new Error(`Listeners never heard of ${missed} seats.`);
  const mostMs = percentiles[100] ?? Number.NaN;
  if (earlyMs > mostMs) {
    throw new Error(`A listener had updates ${earlyMs.toFixed(0)} ms sooner than it may.`);
  }
  const text = [50, 99, 100].map((one) => (percentiles[one] ?? Number.NaN).toFixed(0));
  console.log(
    `${listeners} ${streamNames[stream]} on ${modules} modules, opened in ${opened}; ` +
      `${perSecond} registrations/s for ${seconds} s (${refused} refused and sent again)`,
  );
  const cost = ((heard.usedSeconds - alone.usedSeconds) * 1_000_000) / messages;
  console.log(
    `  ${Math.round(messages / seconds)} messages/s, at most ${mostInASecond} for one listener in ` +
      `one second; processor time of the server ${cost.toFixed(1)} µs a message ` +
      `(${heard.usedSeconds.toFixed(1)} s less ${alone.usedSeconds.toFixed(1)} s without listeners)`,
  );
  console.log(`  memory of the server, at most: ${peakMiB(pid)} MiB (target: ${target.memoryMiB})`);
  console.log(
    `from the answer to the listener, ms: p50 ${text[0]}, p99 ${text[1]}, most ${text[2]} ` +
      `(target: all within ${target.withinMs})`,
  );
} finally {
  listening.kill();
}

interface Registering {
  /** By module, in order: when each seat was answered for. */
  readonly answeredAtMs: Readonly<Record<string, number[]>>;
  /** Of the server's processor. */
  readonly usedSeconds: number;
}

async function registering(forSeconds: number): Promise<Registering> {
  const before = processSeconds(pid) ?? Number.NaN;
  const answeredAtMs = await registered(forSeconds);
  await sleep(restMs);
  return { answeredAtMs, usedSeconds: (processSeconds(pid) ?? Number.NaN) - before };
}

/** By module, in order: when each seat was answered for. */
async function registered(forSeconds: number): Promise<Record<string, number[]>> {
  const from = students;
  const answeredAtMs = Object.fromEntries(codes.map((code) => [code, [] as number[]]));
  await openLoop({
    httpUrl,
    perSecond,
    connections,
    turns: perSecond * forSeconds,
    send: async (connection, { index }) => {
      const moduleCode = codes[index % codes.length] ?? "";
      students = Math.max(students, from + index + 1);
      const body = { moduleCode, studentId: `student-${from + index}` };
      for (let tries = 1; ; tries += 1) {
        const answer = await connection.post("/registrations", body);
        if (answer.status === 201) break;
        // A machine that is busy with other things refuses some; what is measured begins later.
        if (answer.status !== 503 || tries === triesMax) {
          throw new Error(`A registration was answered ${answer.body}.`);
        }
        refused += 1;
        await sleep(retryMs);
      }
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
