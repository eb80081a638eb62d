import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { CrashPoint, Probe } from "../../engine/crash-points.ts";
import { CrashSignal } from "../../engine/error-policy.ts";
import { TransientError } from "../../engine/errors.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { Bank, charge, chargedBy, decline } from "./shop.ts";
import { Stage } from "./stage.ts";

const orderCount = 12;
const names = Array.from({ length: orderCount }, (_, at) => `o${at}`);

interface Weather {
  readonly seed: number;
  /** One try in so many is heard and its answer lost, isn't heard, hangs, or is declined. */
  readonly troubleOneIn: number;
  /** A process dies at about one point in so many; another takes its place. */
  readonly crashOneIn: number;
  readonly processes: number;
  readonly dueMs: number;
}

const weathers: fc.Arbitrary<Weather> = fc.record({
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  troubleOneIn: fc.integer({ min: 2, max: 6 }),
  crashOneIn: fc.integer({ min: 4, max: 30 }),
  processes: fc.integer({ min: 1, max: 3 }),
  dueMs: fc.integer({ min: 1_000, max: 60_000 }),
});

/** Crashes now and then, a bounded number of times, so that the work comes to an end. */
class Fate implements Probe {
  crashes = 0;
  readonly #random: SeededRandom;
  readonly #crashOneIn: number;

  constructor({ seed, crashOneIn }: Weather) {
    this.#random = new SeededRandom(seed);
    this.#crashOneIn = crashOneIn;
  }

  at(point: CrashPoint): void {
    if (this.crashes >= 12 || this.#random.next() * this.#crashOneIn >= 1) return;
    this.crashes += 1;
    throw new CrashSignal(point);
  }
}

/** A bank on a bad line. */
function badLine(bank: Bank, { seed, troubleOneIn }: Weather) {
  const random = new SeededRandom(seed + 1);
  const charged = chargedBy(bank);
  return charge.performedBy(async (effect) => {
    if (random.next() * troubleOneIn >= 1) return charged(effect);
    switch (Math.floor(random.next() * 4)) {
      case 0:
        bank.charge(effect);
        throw new TransientError("lost", "The answer was lost.");
      case 1:
        throw new TransientError("busy", "The bank is busy.");
      case 2:
        return new Promise<never>(() => undefined);
      default: {
        // Only what was never charged can be declined.
        if (bank.charges.has(effect.key)) return charged(effect);
        const call = decline({ order: effect.input.order });
        return { answer: "declined", follows: { call } };
      }
    }
  });
}

const limits = {
  batchMax: 3,
  concurrencyMax: 4,
  tryTimeoutMs: 2_000,
  leaseMs: 5_000,
  backoff: { initialMs: 100, maxMs: 2_000, attemptsMax: 10_000 },
};

async function survive(stage: Stage, weather: Weather): Promise<{ bank: Bank; crashes: number }> {
  const bank = new Bank();
  const fate = new Fate(weather);
  const performer = badLine(bank, weather);
  // A process that dies is replaced by one that knows nothing.
  const effects = (): void => {
    const decider = stage.newDecider();
    const { run } = stage.performs([performer], { limits, probe: fate, decider });
    run.catch((error: unknown) => void (error instanceof CrashSignal && effects()));
  };
  const deadlines = (): void => {
    const decider = stage.newDecider();
    const { run } = stage.waits({ limits: { batchMax: 5 }, probe: fate, decider });
    run.catch((error: unknown) => void (error instanceof CrashSignal && deadlines()));
  };
  for (let count = 0; count < weather.processes; count += 1) {
    effects();
    deadlines();
  }
  for (const name of names) await stage.place(name, { dueMs: weather.dueMs });
  const quiet = async (): Promise<boolean> => {
    const open = await stage.ledger.counts();
    const waiting = await stage.deadlines.nextAtMs(["order-due"]);
    return open.length === 0 && waiting === undefined;
  };
  await stage.until("all is quiet", quiet, { stepMs: 100 });
  return { bank, crashes: fate.crashes };
}

test("whatever dies, hangs or is lost: every order ends once, is charged at most once, and no effect is open", async () => {
  let crashed = 0;
  await fc.assert(
    fc.asyncProperty(weathers, async (weather) => {
      const stage = new Stage();
      const { bank, crashes } = await survive(stage, weather);
      crashed += crashes;
      const happened = (await stage.happened()).toSorted();
      expect(happened).toHaveLength(orderCount * 2);
      expect(new Set(happened.map((one) => one.split(" ")[1]))).toEqual(new Set(names));
      for (const name of names) {
        const outcomes = happened.filter((one) => one.endsWith(` ${name}`));
        expect(outcomes).toHaveLength(2);
        const effect = await stage.ledger.find(`charge/${name}`);
        expect(effect?.state).toBe("done");
        // Whoever was charged has it on record, unless the deadline came first.
        if (bank.charges.has(`charge/${name}`)) expect(outcomes).not.toContain(`Declined ${name}`);
        else expect(outcomes).not.toContain(`Charged ${name}`);
      }
    }),
    { numRuns: 40 },
  );
  expect(crashed).toBeGreaterThan(40);
});
