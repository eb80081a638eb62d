import { setImmediate as turn } from "node:timers/promises";

import { test } from "vitest";

import { FencedError, TransientError } from "../../engine/errors.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import type { Membership } from "../../engine/ports/assignment.ts";
import type { Generation, ReadModelFlush } from "../../engine/ports/read-model-store.ts";
import type { Runner } from "../../engine/runner/runner.ts";
import { MemoryStage } from "./generation-stage.ts";
import { realClock, ScriptedAssignment, until } from "./process.ts";
import { counters, history } from "./seats.ts";

/** A store that is late, fails, loses answers, and is taken over by others, while it is shaken. */
class ShakyStore extends MemoryReadModelStore {
  shaken = true;
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
    const chance = this.shaken ? this.#random.next() : 0.5;
    if (this.shaken) await dally(this.#random);
    if (chance < 0.05) throw new TransientError("refused", "The store is away.");
    if (chance < 0.1) {
      const lost = flush.advances[0]?.partition ?? 0;
      throw new FencedError([lost], `Another writer has partition ${lost}.`);
    }
    await super.flush(flush);
    if (chance > 0.95) throw new TransientError("outcome-unknown", "The answer was lost.");
  }
}

async function dally(random: SeededRandom): Promise<void> {
  for (let left = Math.floor(random.next() * 6); left > 0; left -= 1) await turn();
}

const all = [0, 1, 2, 3];

/** Whoever says that it was fenced out hears soon what it has still. */
class PatientAssignment extends ScriptedAssignment {
  #given: readonly number[] = all;

  override give(partitions: Iterable<number>): void {
    this.#given = [...partitions];
    super.give(this.#given);
  }

  override async join(consumer: string, partitions: number): Promise<Membership> {
    const membership = await super.join(consumer, partitions);
    return { ...membership, fencedOut: () => setImmediate(() => this.give(this.#given)) };
  }
}

/** One system's life: what happens to it is drawn by lot. */
class Life {
  readonly random: SeededRandom;
  readonly store: ShakyStore;
  readonly stage: MemoryStage;
  readonly assignment = new PatientAssignment();

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.store = new ShakyStore(this.random);
    this.stage = new MemoryStage(this.store, realClock);
  }

  upTo(max: number): number {
    return 1 + Math.floor(this.random.next() * max);
  }

  async begin(): Promise<Runner> {
    await this.stage.begin();
    await this.append();
    return this.stage.run({
      assignment: this.assignment,
      heal: this.stage.healing(),
      fetchBytesMax: this.upTo(3_000),
      fetchesMax: this.upTo(3),
      limits: {
        lingerMs: this.upTo(3) - 1,
        batchRecordsMax: this.upTo(60),
        chunkRecordsMax: this.upTo(40),
        hotRowsMax: this.upTo(8),
        backoff: { initialMs: 0.1, maxMs: 1, attemptsMax: 20 },
      },
    });
  }

  append(): Promise<void> {
    return this.stage.append(
      history(Array.from({ length: this.upTo(60) }, () => this.upTo(10_000))),
    );
  }

  async step(): Promise<void> {
    const { generations } = this.stage;
    const serving = { projection: "board", generation: await this.stage.serving() };
    switch (Math.floor(this.random.next() * 6)) {
      case 0: {
        const hold = await generations.hold(serving, this.upTo(20));
        await dally(this.random);
        if (this.random.next() < 0.7) await generations.release(hold);
        return;
      }
      case 1:
        return this.assignment.give(all.filter(() => this.random.next() < 0.6));
      case 2:
        return this.swap();
      case 3:
        return this.tamper(serving);
      default:
        return this.append();
    }
  }

  /** A rebuild's last steps, again and again until the store lets them through. */
  async swap(): Promise<void> {
    this.assignment.give(all);
    const shadow = await this.stage.shadow();
    await until("the shadow serves", async () => {
      try {
        return (await this.stage.swap(shadow)).outcome === "swapped";
      } catch (error) {
        if (error instanceof TransientError || error instanceof FencedError) return false;
        throw error;
      }
    });
  }

  /** Somebody's hand in the store, and an operator who has it mended. */
  async tamper(serving: { projection: string; generation: number }): Promise<void> {
    const { rows } = this.store.generations.get(serving);
    const key = [...rows.keys()][0];
    if (key === undefined) return;
    rows.set(key, { ...rows.get(key), held: this.upTo(1_000) });
    await this.stage.generations.askHeal({ ...serving, key });
  }

  /** Rows that were changed by hand after the heal that was asked for before, too. */
  async healed(): Promise<void> {
    for (const { generation, role } of await this.stage.generations.list("board")) {
      if (role !== "serving" && role !== "kept") continue;
      const { rows } = this.store.generations.get({ projection: "board", generation });
      for (const key of rows.keys()) await this.stage.heal(key, generation);
    }
  }
}

const lives = Array.from({ length: 20 }, (_, seed) => seed * 11 + 3);

test.each(lives)("comes to the end whatever swaps, holds and heals come, seed %i", async (seed) => {
  const life = new Life(seed);
  const runner = await life.begin();
  for (let left = 12; left > 0; left -= 1) {
    await life.step();
    await dally(life.random);
  }
  life.store.shaken = false;
  life.assignment.give(all);
  await until("everything runs", () => {
    const bad = runner.health().filter(({ reasons }) => reasons.length > 0);
    if (bad.length > 0) throw new Error(JSON.stringify(bad));
    return runner.reports().length % counters.partitions === 0;
  });
  await life.healed();
  for (const { generation, role } of await life.stage.generations.list("board")) {
    if (role === "serving" || role === "kept") await life.stage.assertTrue(generation);
  }
});
