import { setImmediate as turn } from "node:timers/promises";

import { expect, onTestFinished, test } from "vitest";

import { FencedError, TransientError } from "../../engine/errors.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import type { Generation, ReadModelFlush } from "../../engine/ports/read-model-store.ts";
import type { Fetch, ReadOptions } from "../../engine/ports/record-log.ts";
import { run } from "../../engine/runner/run.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { foldAll } from "../../engine/testing/given.ts";
import { JsonCodec, Journal } from "../../engine/testing/index.ts";
import { realClock, ScriptedAssignment, until } from "./process.ts";
import { board, counters, history, notes, tally, withNotes } from "./seats.ts";

/** Gives everybody else some turns, an odd number of them. */
async function dally(random: SeededRandom): Promise<void> {
  const turns = random.next() < 0.5 ? 0 : Math.floor(random.next() * 6);
  for (let at = 0; at < turns; at += 1) await turn();
}

/** A log whose fetches come late, and now and then not at all. */
class SlowLog extends MemoryRecordLog {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    super();
    this.#random = random;
  }

  override async *read(options: ReadOptions): AsyncGenerator<Fetch> {
    for await (const fetch of super.read(options)) {
      await dally(this.#random);
      if (options.signal.aborted) return;
      if (this.#random.next() < 0.02) throw new TransientError("refused", "The log is away.");
      yield fetch;
    }
  }
}

/** A store that is late, fails, loses answers, and is taken over by others for a moment. */
class ShakyStore extends MemoryReadModelStore {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    super();
    this.#random = random;
  }

  override async load(generation: Generation, keys: readonly string[]) {
    await dally(this.#random);
    return super.load(generation, keys);
  }

  override async flush(flush: ReadModelFlush): Promise<void> {
    await dally(this.#random);
    const chance = this.#random.next();
    if (chance < 0.05) throw new TransientError("refused", "The store is away.");
    if (chance < 0.1) {
      const lost = flush.advances[0]?.partition ?? 0;
      throw new FencedError([lost], `Another writer has partition ${lost}.`);
    }
    await super.flush(flush);
    if (chance > 0.95) throw new TransientError("outcome-unknown", "The answer was lost.");
  }
}

/** Gives everything at first; takes and gives at random while `shake` is called. */
class RestlessAssignment extends ScriptedAssignment {
  shake(random: SeededRandom): void {
    this.give([0, 1, 2, 3].filter(() => random.next() < 0.6));
  }
}

const lives = Array.from({ length: 60 }, (_, seed) => seed * 9 + 7);

test.each(lives)("comes to the end whatever the sizes and delays, seed %i", async (seed) => {
  const random = new SeededRandom(seed);
  const upTo = (max: number): number => 1 + Math.floor(random.next() * max);
  const log = new SlowLog(random);
  const codec = new JsonCodec();
  const journal = new Journal({ log, codec });
  for (const topic of [counters, notes]) await journal.open(topic);
  const events = withNotes(history(Array.from({ length: upTo(900) }, () => upTo(10_000))));
  const append = async (some: typeof events) => {
    for (const event of some) {
      await journal.append(event.type.name === "Noted" ? notes : counters, [event]);
    }
  };
  const ahead = Math.floor(random.next() * events.length);
  await append(events.slice(0, ahead));
  const store = new ShakyStore(random);
  const assignment = new RestlessAssignment();
  const runner = await run({
    projections: [board, tally],
    log,
    readModels: store,
    assignment,
    codec,
    clock: realClock,
    random: { next: () => random.next(), id: () => String(random.next()) },
    observeIntervalMs: 50,
    fetchBytesMax: upTo(3_000),
    fetchesMax: upTo(3),
    limits: {
      lingerMs: upTo(3) - 1,
      batchRecordsMax: upTo(200),
      chunkRecordsMax: upTo(100),
      hotRowsMax: upTo(8),
      backoff: { initialMs: 0.1, maxMs: 1, attemptsMax: 20 },
    },
  });
  onTestFinished(() => runner.stop());
  for (let at = ahead; at < events.length; at += 50) {
    await append(events.slice(at, at + 50));
    if (random.next() < 0.3) assignment.shake(random);
    await dally(random);
  }
  const applied = async (): Promise<boolean> => {
    const bad = runner.health().filter(({ reasons }) => reasons.length > 0);
    if (bad.length > 0) throw new Error(JSON.stringify(bad));
    for (const projection of [board, tally]) {
      const generation = await store.open(readModelOf(projection));
      for (const { topic, partition, position } of await store.positions(generation)) {
        const end = (await log.bounds(topic))[partition]?.end ?? 0n;
        if ((position?.nextOffset ?? 0n) < end) return false;
      }
    }
    return true;
  };
  await until("everything is applied", async () => {
    assignment.give([0, 1, 2, 3]);
    return applied();
  });
  for (const projection of [board, tally]) {
    const rows = new Map<string, unknown>();
    const generation = await store.open(readModelOf(projection));
    for await (const page of store.scan(generation))
      for (const { key, row } of page) rows.set(key, row);
    const own = events.filter(({ type }) => projection !== board || type.name !== "Noted");
    expect(rows).toEqual(foldAll(projection, own));
  }
});
