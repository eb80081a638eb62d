import { expect, test } from "vitest";

import { type CrashPoint, crashPointsOf, type Probe } from "../../engine/crash-points.ts";
import { CrashSignal } from "../../engine/error-policy.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import type { ReadModelFlush } from "../../engine/ports/read-model-store.ts";
import type { Runner } from "../../engine/runner/runner.ts";
import { happened } from "../../engine/testing/given.ts";
import { MemoryStage, numbers, withOutages } from "./generation-stage.ts";
import { until } from "./process.ts";
import { board, counters, history, Moved } from "./seats.ts";

const first = { projection: "board", generation: 1 };

/** Not held: what it has applied, the held one could have applied too. */
const witness = { ...board, name: "witness" };

const witnessed = (stage: MemoryStage) =>
  until("the witness has everything", () => stage.applied(1, witness));

test("a held generation takes nothing until it is released, and the others go on", async () => {
  const stage = await MemoryStage.open(history(numbers(100)));
  const runner = await stage.run({ projections: [board, witness] });
  await stage.assertTrue(1);
  const hold = await stage.heldStill(1);
  const cuts = await stage.cuts(first);
  await stage.append(history(numbers(100, 100)));
  await witnessed(stage);
  expect(await stage.cuts(first)).toEqual(cuts);
  expect(runner.health().map(({ state }) => state)).toEqual(["running", "running"]);
  await stage.generations.release(hold);
  await stage.assertTrue(1);
});

test("the time that a hold takes doesn't age the consumer, and is measured", async () => {
  const stage = await MemoryStage.open(history(numbers(20)));
  const seconds: number[] = [];
  const observe = (name: string, value: number): void => {
    if (name === "hold_seconds") seconds.push(value);
  };
  const runner = await stage.run({ metrics: { ...noMetrics, observe } });
  await until("it has caught up", () => runner.ageMs("board") < 1_000);
  const hold = await stage.heldStill(1);
  await stage.append(history(numbers(20, 20)));
  await until("it is behind", () => runner.ageMs("board") > 1_500);
  expect(runner.health()[0]?.ageMs).toBeLessThan(1_000);
  await stage.generations.release(hold);
  await stage.assertTrue(1);
  await until("it is told", () => seconds.length === 1);
  expect(seconds[0]).toBeGreaterThan(0.1);
});

test("a hold that nobody releases ends by itself, also while nobody can be asked", async () => {
  const stage = await MemoryStage.open(history(numbers(30)));
  const generations = withOutages(stage.generations);
  await stage.run({ generations });
  await stage.assertTrue(1);
  const startedMs = performance.now();
  await stage.heldStill(1, 120);
  await stage.append(history(numbers(30, 30)));
  generations.away = true;
  await stage.assertTrue(1);
  expect(performance.now() - startedMs).toBeGreaterThan(110);
});

test("a process holds still no longer than its own maximum", async () => {
  const stage = await MemoryStage.open(history(numbers(30)));
  await stage.run({ holdMaxMs: 50 });
  await stage.assertTrue(1);
  await stage.heldStill(1, 60_000);
  await stage.append(history(numbers(30, 30)));
  await stage.assertTrue(1);
});

test("partitions that move while a hold is open stand again where they come to", async () => {
  const stage = await MemoryStage.open(history(numbers(100)));
  const one = await stage.run({ projections: [board, witness] });
  await stage.assertTrue(1);
  const hold = await stage.heldStill(1);
  const before = await stage.generations.standing(hold);
  const cuts = await stage.cuts(first);
  await stage.append(history(numbers(100, 100)));
  const two = await stage.run({ projections: [board, witness] });
  const owned = (runner: Runner) =>
    runner.reports().filter(({ consumer }) => consumer === "board").length;
  await until("they share", () => owned(one) === 2 && owned(two) === 2);
  await stage.allStand(hold);
  const risen = (await stage.generations.standing(hold)).filter(
    ({ partition, epoch }) => epoch > (before[partition]?.epoch ?? 0n),
  );
  expect(risen.length).toBeGreaterThan(0);
  await witnessed(stage);
  expect(await stage.cuts(first)).toEqual(cuts);
  await one.stop();
  await until("the other has all", () => owned(two) === counters.partitions);
  await stage.allStand(hold);
  expect(await stage.cuts(first)).toEqual(cuts);
  await stage.generations.release(hold);
  await stage.assertTrue(1);
});

test("a partition that has halted stands, too", async () => {
  const stage = await MemoryStage.open(history(numbers(30)));
  stage.journal.encode(counters, [happened(Moved, { code: "a", by: 1 })]);
  await stage.journal.append(counters, [happened(Moved, { code: "a", by: 1 })]);
  const runner = await stage.run();
  await until("it halts", () => runner.health()[0]?.state === "halted");
  const hold = await stage.heldStill(1);
  expect(await stage.generations.standing(hold)).toHaveLength(counters.partitions);
});

test("what a flush for the hold has lost is looked at before it stands", async () => {
  let lost = false;
  class LosesOne extends MemoryReadModelStore {
    override async flush(flush: ReadModelFlush): Promise<void> {
      await super.flush(flush);
      if (lost) {
        lost = false;
        // Somebody else takes the partition over as soon as the flush is through.
        await this.claim(flush.generation, flush.advances.slice(0, 1));
      }
    }
  }
  const stage = new MemoryStage(new LosesOne());
  await stage.begin(history(numbers(50)));
  await stage.run();
  await stage.assertTrue(1);
  lost = true;
  await stage.append(history(numbers(50, 50)));
  const hold = await stage.generations.hold(first, 4_000);
  await stage.generations.release(hold);
  await stage.assertTrue(1);
  expect(lost).toBe(false);
});

/** Dies when it passes a point for the nth time. */
class DiesAt implements Probe {
  dead = false;
  readonly #point: CrashPoint;
  #left: number;

  constructor(point: CrashPoint, visit: number) {
    this.#point = point;
    this.#left = visit;
  }

  at(point: CrashPoint): void {
    if (point === this.#point) this.#left -= 1;
    if (this.#left > 0) return;
    this.dead = true;
    throw new CrashSignal(point);
  }
}

/** Partitions are claimed and given back once; everything else is passed again and again. */
const deaths = crashPointsOf.projection.flatMap((point) =>
  (point === "claimed" || point === "drained" ? [1] : [1, 3, 5]).map((visit) => ({ point, visit })),
);

test.for(deaths)(
  "a process that dies at $point, time $visit, amid holds loses and doubles nothing",
  async ({ point, visit }) => {
    const stage = await MemoryStage.open(history(numbers(60)));
    const probe = new DiesAt(point, visit);
    const dying = await stage.run({ probe });
    for (let round = 0; round < 6 && !probe.dead; round += 1) {
      const hold = await stage.generations.hold(first, 4_000);
      await until("all stand, or it is dead", async () => {
        const standing = await stage.generations.standing(hold);
        return probe.dead || standing.length === counters.partitions;
      });
      await stage.append(history(numbers(20, 60 + round * 20)));
      await stage.generations.release(hold);
      await until("it goes on, or it is dead", async () => probe.dead || stage.applied(1));
    }
    await dying.stop().catch(() => undefined);
    expect(probe.dead).toBe(true);
    const hold = await stage.generations.hold(first, 4_000);
    await stage.run();
    await stage.allStand(hold);
    await stage.generations.release(hold);
    await stage.assertTrue(1);
  },
);
