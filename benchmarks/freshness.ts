/**
 * From a registration's commit to its delivery on the event stream, at 500 registrations/s. The
 * clock starts at the recorded time that the answer tells (the database's, on this machine, taken
 * just before the commit) and stops when a listener has the update that contains it, by position.
 * Checked before a figure is printed: every registration was delivered.
 */
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { build } from "hdr-histogram-js";

import { decodePositionToken } from "../engine/position-token.ts";
import { Connection, headerOf } from "./_connection.ts";
import { measuredInstance, offerModules, waitUntil } from "./_instance.ts";

const perSecond = 500;
const seconds = 10;
const warmUpSeconds = 3;
const modules = 20;
const connections = 50;
const target = { p50Ms: 50, p99Ms: 250 };

interface Awaited {
  readonly sequence: bigint;
  readonly recordedAtMs: number;
  readonly measured: boolean;
}

const latencies = build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000 });
const awaited = new Map<string, Awaited[]>();
/** How far the stream has told of each module, and when it did. */
const told = new Map<string, { readonly sequence: bigint; readonly atMs: number }[]>();
let delivered = 0;

const lastSequence = (token: string): bigint =>
  decodePositionToken(token).lanes.reduce(
    (most, { sequence }) => (sequence > most ? sequence : most),
    0n,
  );

/** An update may come before the answer to its own command: both orders are kept. */
function settle(moduleCode: string): void {
  const updates = told.get(moduleCode) ?? [];
  const rest = (awaited.get(moduleCode) ?? []).filter((registration) => {
    const update = updates.find(({ sequence }) => sequence >= registration.sequence);
    if (update === undefined) return true;
    delivered += 1;
    const latencyMs = Math.max(0, update.atMs - registration.recordedAtMs);
    if (registration.measured) latencies.recordValue(Math.round(latencyMs));
    return false;
  });
  awaited.set(moduleCode, rest);
  if (rest.length === 0) told.set(moduleCode, updates.slice(-4));
}

function listen(url: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const request = get(`${url}/registration-updates`, { agent: false }, (response) => {
      let received = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        const frames = `${received}${text}`.split("\n\n");
        received = frames.pop() ?? "";
        for (const frame of frames) take(frame);
        resolve(() => void request.destroy());
      });
    });
    request.on("error", reject);
  });
}

function take(frame: string): void {
  const data = /^data: (.*)$/m.exec(frame)?.[1];
  if (data === undefined || !frame.includes("event: SeatAvailableChanged")) return;
  const event = JSON.parse(data) as { moduleCode: string; sourcePosition: string };
  const update = { sequence: lastSequence(event.sourcePosition), atMs: Date.now() };
  told.set(event.moduleCode, [...(told.get(event.moduleCode) ?? []), update]);
  settle(event.moduleCode);
}

async function register(
  connection: Connection,
  moduleCode: string,
  given: { readonly studentId: string; readonly measured: boolean },
): Promise<void> {
  const { studentId, measured } = given;
  const answer = await connection.post("/registrations", { moduleCode, studentId });
  if (answer.status !== 201) throw new Error(`A registration was answered ${answer.body}.`);
  const { registeredAt } = JSON.parse(answer.body) as { registeredAt: string };
  const sequence = lastSequence(headerOf(answer, "refold-position") ?? "");
  const recordedAtMs = Date.parse(registeredAt);
  awaited.set(moduleCode, [
    ...(awaited.get(moduleCode) ?? []),
    { sequence, recordedAtMs, measured },
  ]);
  settle(moduleCode);
}

/** Sends at a steady rate whatever the answers take: a slow server can't slow its own measure. */
async function send(url: string, codes: readonly string[]): Promise<number> {
  const free = await Promise.all(Array.from({ length: connections }, () => Connection.open(url)));
  const total = perSecond * (warmUpSeconds + seconds);
  const running: Promise<void>[] = [];
  const began = performance.now();
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - began) * perSecond) / 1_000));
    for (; sent < due; sent += 1) {
      const connection = free.pop() ?? (await Connection.open(url));
      const measured = sent >= perSecond * warmUpSeconds;
      const given = { studentId: `student-${sent}`, measured };
      const done = register(connection, codes[sent % codes.length] ?? "", given);
      running.push(done.then(() => void free.push(connection)));
    }
    await sleep(1);
  }
  await Promise.all(running);
  for (const connection of free) connection.close();
  return total;
}

await using instance = await measuredInstance();
const codes = await offerModules(instance, { modules, capacity: 1_000_000 });
const stop = await listen(instance.httpUrl);
const sent = await send(instance.httpUrl, codes);
await waitUntil("every registration was delivered", async () => delivered === sent);
stop();

const ms = (percentile: number) => latencies.getValueAtPercentile(percentile);
console.log(
  `commit to event stream at ${perSecond} registrations/s, ${latencies.totalCount} measured: ` +
    `p50 ${ms(50)} ms, p90 ${ms(90)} ms, p99 ${ms(99)} ms, max ${latencies.maxValue} ms ` +
    `(targets: p50 below ${target.p50Ms}, p99 below ${target.p99Ms})`,
);
