import { expect, onTestFinished, test } from "vitest";

import { Decider } from "../../engine/decision/decider.ts";
import { MemoryDeadlines } from "../../engine/memory/deadlines.ts";
import { MemoryEffectLedger } from "../../engine/memory/effect-ledger.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { InvariantViolation } from "../../engine/errors.ts";
import type { EffectPerformer } from "../../engine/effect.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import type { RunOptions } from "../../engine/runner/options.ts";
import { run } from "../../engine/runner/run.ts";
import { realClock, realRandom, ScriptedAssignment, until } from "../engine/process.ts";
import { Bank, charge, chargedBy, orderDue, place } from "./shop.ts";

const clock = realClock;

function shop() {
  const ledger = new MemoryEffectLedger({ clock });
  const store = new MemoryDeadlines();
  const eventStore = new MemoryEventStore({ clock, effectLedger: ledger, deadlines: store });
  const codec = new JsonCodec();
  const ports = { codec, clock, random: realRandom, metrics: noMetrics };
  const decider = new Decider({ ...ports, eventStore, as: "processor" });
  const optionsWith = (performers: readonly EffectPerformer[]): RunOptions => ({
    ...ports,
    log: new MemoryRecordLog(),
    readModels: new MemoryReadModelStore(),
    assignment: new ScriptedAssignment(),
    decider,
    // Nothing is found by looking in time: it has to be told.
    effects: { ledger, performers, limits: { pollMs: 600_000 } },
    deadlines: { store, eventStore, types: [orderDue], limits: { pollMs: 600_000 } },
  });
  return { ledger, store, decider, optionsWith };
}

const silent = charge.performedBy(() => new Promise<never>(() => undefined));

test("a process performs effects and passes deadlines as its decisions want them", async () => {
  const { ledger, store, decider, optionsWith } = shop();
  const bank = new Bank();
  const runner = await run(optionsWith([charge.performedBy(chargedBy(bank))]));
  onTestFinished(() => runner.stop());
  await decider.execute(place({ order: "a", cents: 1, dueMs: 60_000 }), { correlationId: "a" });
  await until("it is charged", async () => (await ledger.find("charge/a"))?.state === "done");
  expect(await store.nextAtMs(["order-due"])).toBeUndefined();
  expect(runner.health()).toEqual([
    { consumer: "effects", state: "running", reasons: [], ageMs: 0, parkedKeys: 0 },
    { consumer: "deadlines", state: "running", reasons: [], ageMs: 0, parkedKeys: 0 },
  ]);
});

test("a deadline passes although the effect has no answer; a stop leaves that to others", async () => {
  const { ledger, store, decider, optionsWith } = shop();
  const runner = await run(optionsWith([silent]));
  await decider.execute(place({ order: "a", cents: 1, dueMs: 30 }), { correlationId: "a" });
  await until("it has passed", async () => (await store.nextAtMs(["order-due"])) === undefined);
  const hurry = new AbortController();
  const stopped = runner.stop(hurry.signal);
  hurry.abort();
  await stopped;
  expect((await ledger.find("charge/a"))?.state).toBe("requested");
});

test("a broken invariant in a performer ends the process' work", async () => {
  const { decider, optionsWith } = shop();
  const error = new InvariantViolation("Impossible.");
  const runner = await run(optionsWith([charge.performedBy(() => Promise.reject(error))]));
  await decider.execute(place({ order: "a", cents: 1 }), { correlationId: "a" });
  await expect(runner.finished).rejects.toBe(error);
  await expect(runner.stop()).rejects.toBe(error);
});

test("options that don't fit are refused together", async () => {
  const { optionsWith } = shop();
  const { decider: _, ...rest } = optionsWith([silent, silent]);
  await expect(run(rest)).rejects.toThrow(
    "run: effects and deadlines need decider; there are two performers of charge.",
  );
});

test("limits that don't fit are refused together", async () => {
  const options = shop().optionsWith([silent]);
  const { effects } = options;
  if (!effects) throw new Error("There are effects.");
  const limits = { leaseMs: 100, tryTimeoutMs: 100, concurrencyMax: 0 };
  await expect(run({ ...options, effects: { ...effects, limits } })).rejects.toThrow(
    "Effect limits: concurrencyMax must be 1 or more; leaseMs must exceed tryTimeoutMs.",
  );
});
