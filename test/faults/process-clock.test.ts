import { isDeepStrictEqual } from "node:util";

import { expect, onTestFinished, test } from "vitest";

import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { run } from "../../engine/runner/run.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { foldAll } from "../../engine/testing/given.ts";
import { JsonCodec, Journal } from "../../engine/testing/index.ts";
import { realClock, realRandom, ScriptedAssignment, until } from "../engine/process.ts";
import { board, counters, history } from "../engine/seats.ts";

const hourMs = 3_600_000;
const numbers = Array.from({ length: 90 }, (_, at) => (at * 7919) % 1009);

test("processing goes on, and ages are told, while the process' clock jumps to and fro", async () => {
  let aheadMs = 0;
  const clock = { ...realClock, nowMs: () => realClock.nowMs() + aheadMs };
  const [log, codec, readModels] = [
    new MemoryRecordLog(),
    new JsonCodec(),
    new MemoryReadModelStore(),
  ];
  const journal = new Journal({ log, codec, startMs: Date.now() });
  await journal.open(counters);
  const assignment = new ScriptedAssignment();
  const shared = { log, codec, readModels, assignment, clock, random: realRandom };
  const limits = { lingerMs: 5 };
  const runner = await run({ ...shared, projections: [board], limits, observeIntervalMs: 5 });
  onTestFinished(() => runner.stop());
  const generation = await readModels.open(readModelOf(board));
  const rows = async (): Promise<Map<string, unknown>> => {
    const found = new Map<string, unknown>();
    for await (const page of readModels.scan(generation)) {
      for (const { key, row } of page) found.set(key, row);
    }
    return found;
  };
  const events = history(numbers);
  for (const [step, jumpMs] of [0, -hourMs, 2 * hourMs, -24 * hourMs, hourMs, 0].entries()) {
    aheadMs = jumpMs;
    await journal.append(counters, events.slice(step * 15, (step + 1) * 15));
    await until("what was appended is applied", async () => {
      return isDeepStrictEqual(await rows(), foldAll(board, events.slice(0, (step + 1) * 15)));
    });
    await until("it is known to be current", () => runner.ageMs("board") < 1_000);
    expect(runner.ageMs("board")).toBeGreaterThanOrEqual(0);
    expect(runner.health()).toMatchObject([{ state: "running", reasons: [] }]);
  }
});
