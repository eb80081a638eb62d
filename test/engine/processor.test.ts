import { expect, onTestFinished, test } from "vitest";

import { text } from "../../engine/columns.ts";
import { Decider } from "../../engine/decision/decider.ts";
import {
  accept,
  defineCommand,
  defineDecisionModel,
  fact,
  refuse,
} from "../../engine/decision/definition.ts";
import { CrashSignal } from "../../engine/error-policy.ts";
import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { MemoryProcessorStore } from "../../engine/memory/processor-store.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { defineProcessor } from "../../engine/processor.ts";
import type { RunOptions } from "../../engine/runner/options.ts";
import { run } from "../../engine/runner/run.ts";
import { happened } from "../../engine/testing/given.ts";
import { type CrashPoint, crashPoints, JsonCodec, Journal } from "../../engine/testing/index.ts";
import { realClock, realRandom, ScriptedAssignment, until } from "./process.ts";
import { Closed, counters, Moved, Noted, notes, Opened } from "./seats.ts";

const noted = defineDecisionModel({
  name: "noted",
  tag: "note",
  topic: notes,
  initial: 0,
  on: { Noted: (count) => count + 1 },
});

/** At most two notes of a code; then a note is made of the refusal. */
const note = defineCommand({
  name: "note",
  reads: ({ code }: { code: string; text: string }) => ({ noted: noted.of(code) }),
  decide: ({ code, text }, { noted }) =>
    noted < 2
      ? accept([fact(notes, Noted, { code, note: text })], undefined)
      : refuse("enough", "There are two notes already."),
});

const overflow = defineCommand({
  name: "overflow",
  reads: () => ({}),
  decide: ({ code }: { code: string }) =>
    accept([fact(notes, Noted, { code: `${code}-overflow`, note: "one too many" })], undefined),
});

const notary = defineProcessor({
  name: "notary",
  from: counters,
  key: "code",
  state: { last: text() },
  on: {
    Opened: (_, e) => ({ last: `opened ${e.size}` }),
    Moved: (state, e, emit) => {
      emit(note({ code: e.code, text: `${state?.last ?? "nothing"}, by ${e.by}` }), {
        refused: () => overflow({ code: e.code }),
      });
      return { last: `moved ${e.by}` };
    },
    Closed: () => undefined,
  },
});

class Stage {
  readonly codec = new JsonCodec();
  readonly log = new MemoryRecordLog();
  readonly journal = new Journal({ log: this.log, codec: this.codec });
  readonly events = new MemoryEventStore({ clock: realClock });
  readonly letters = new MemoryDeadLetters();
  readonly store = new MemoryProcessorStore({
    appendAll: (requests) => this.events.appendAll(requests),
    deadLetters: this.letters,
  });

  async start(options: Partial<RunOptions> = {}) {
    const shared = {
      codec: this.codec,
      clock: realClock,
      random: realRandom,
      metrics: noMetrics,
    };
    return run({
      ...shared,
      processors: [notary],
      log: this.log,
      readModels: new MemoryReadModelStore(),
      processorStore: this.store,
      decider: new Decider({ ...shared, eventStore: this.events, as: "processor" }),
      deadLetters: this.letters,
      assignment: new ScriptedAssignment(),
      limits: { lingerMs: 0 },
      ...options,
    });
  }

  async notes(): Promise<{ id: string; key: string }[]> {
    const found: { id: string; key: string }[] = [];
    for await (const page of this.events.read({})) {
      found.push(...page.map(({ id, key }) => ({ id, key })));
    }
    return found;
  }

  async applied(): Promise<boolean> {
    const bounds = await this.log.bounds("counters");
    const standing = await this.store.positions("notary");
    return standing.every(
      ({ partition, position }) => (position?.nextOffset ?? 0n) >= (bounds[partition]?.end ?? 0n),
    );
  }
}

async function staged(): Promise<Stage> {
  const stage = new Stage();
  await stage.journal.open(counters);
  await stage.codec.prepare(notes);
  const moves = [1, 2, 3].map((by) => happened(Moved, { code: "a", by }));
  await stage.journal.append(counters, [
    happened(Opened, { code: "a", size: 7 }),
    ...moves,
    happened(Opened, { code: "b", size: 8 }),
    happened(Moved, { code: "b", by: 1 }),
    happened(Closed, { code: "b" }),
  ]);
  return stage;
}

test("emitted calls are decided in the flush, and a refusal leads to the other call", async () => {
  const stage = await staged();
  const runner = await stage.start();
  onTestFinished(() => runner.stop());
  await until("all is applied", () => stage.applied());
  const keys = (await stage.notes()).map(({ key }) => key).sort();
  expect(keys).toEqual(["a", "a", "a-overflow", "b"]);
  expect(await stage.store.load("notary", ["a", "b"])).toEqual(
    new Map([["a", { last: "moved 3" }]]),
  );
});

test.for(crashPoints.filter((point) => point !== "drained" && point !== "held"))(
  "a crash at %s makes the same events, once",
  async (point: CrashPoint) => {
    const whole = await staged();
    const undisturbed = await whole.start();
    await until("all is applied", () => whole.applied());
    await undisturbed.stop();
    const stage = await staged();
    const probe = {
      at: (reached: CrashPoint) => {
        if (reached === point) throw new CrashSignal(point);
      },
    };
    const crashed = await stage.start({ probe });
    await expect(crashed.finished).rejects.toThrow(CrashSignal);
    await crashed.stop().catch(() => undefined);
    const runner = await stage.start();
    onTestFinished(() => runner.stop());
    await until("all is applied", () => stage.applied());
    const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1);
    expect((await stage.notes()).sort(byId)).toEqual((await whole.notes()).sort(byId));
  },
);

test("a processor that keeps state must have a key for it", () => {
  const on = { Opened: "ignore", Moved: "ignore", Closed: "ignore" } as const;
  const state = { last: text() };
  expect(() => defineProcessor({ name: "keyless", from: counters, state, on })).toThrow(
    "keyless: it keeps state, and has no key for it.",
  );
});

test("a processor without state needs no key: it goes by the records' own", async () => {
  const stage = await staged();
  await stage.journal.open(notes);
  await stage.journal.append(notes, [happened(Noted, { code: "z", note: "hello" })]);
  const seen: string[] = [];
  const listener = defineProcessor({
    name: "notary",
    from: [counters, notes],
    on: {
      Opened: (_, { code }) => void seen.push(`opened ${code}`),
      Moved: "ignore",
      Closed: "ignore",
      Noted: (_, { code }) => void seen.push(`noted ${code}`),
    },
  });
  const runner = await stage.start({ processors: [listener] });
  onTestFinished(() => runner.stop());
  await until("everything is seen", () => seen.length === 3);
  expect(seen.sort()).toEqual(["noted z", "opened a", "opened b"]);
});
