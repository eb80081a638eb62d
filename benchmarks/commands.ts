/**
 * Registrations over HTTP at a steady rate of arrivals, whatever the answers take. A latency runs
 * from the moment when its request was due, so that requests which waited to be sent count what they
 * waited. Checked before a figure is told: the read model has every accepted registration and no
 * other. The ceiling of the rate is what was due.
 */
import { parseArgs } from "node:util";

import { build } from "hdr-histogram-js";

import type { Connection } from "./_connection.ts";
import { measuredInstance, nobodyPutOff, offerModules } from "./_instance.ts";
import { openLoop } from "./_open-loop.ts";
import type { DueTurn } from "./_steady-rate.ts";
import { untilRegistered } from "./_registered.ts";
import { tellChecked, tellLatencies, tellRate } from "./harness/tell.ts";

const { values } = parseArgs({
  options: {
    perSecond: { type: "string", default: "1000" },
    seconds: { type: "string", default: "10" },
  },
  // Also --data, which names an instance that runs already.
  strict: false,
});
const perSecond = Number(values.perSecond);
const seconds = Number(values.seconds);
const warmUpTurns = 3 * perSecond;

await using instance = await measuredInstance(["--limit", ...nobodyPutOff]);
const codes = await offerModules(instance, { modules: 20, capacity: 100_000_000 });
const histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000 });
const accepted = new Set<string>();
let answeredAtMs = 0;
let countedFromMs = Number.NaN;

async function register(connection: Connection, { index, dueMs }: DueTurn): Promise<void> {
  const moduleCode = codes[index % codes.length] ?? "";
  const answer = await connection.post("/registrations", { moduleCode, studentId: `s-${index}` });
  if (answer.status !== 201) throw new Error(`A registration was answered ${answer.body}.`);
  accepted.add((JSON.parse(answer.body) as { registrationId: string }).registrationId);
  if (index < warmUpTurns) return;
  answeredAtMs = performance.now();
  if (index === warmUpTurns) countedFromMs = dueMs;
  histogram.recordValue(Math.round((answeredAtMs - dueMs) * 1_000));
}

const turns = warmUpTurns + seconds * perSecond;
await openLoop({ httpUrl: instance.httpUrl, perSecond, connections: 50, turns, send: register });

await untilRegistered(instance, { codes, accepted });
tellChecked(`the read model has the ${accepted.size} accepted registrations and no other`);
const answered = { of: "answers", count: histogram.totalCount };
const took = (answeredAtMs - countedFromMs) / 1_000;
tellRate({ ...answered, name: "answered", seconds: took });
tellRate({ ...answered, name: "due", seconds, role: "ceiling" });
tellLatencies({ name: "due to answered", histogram, unitsPerMs: 1_000 });
