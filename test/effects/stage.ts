import { setImmediate as turn } from "node:timers/promises";

import { onTestFinished } from "vitest";

import type { CrashPoint, Probe } from "../../engine/crash-points.ts";
import { Decider } from "../../engine/decision/decider.ts";
import type { EffectPerformer } from "../../engine/effect.ts";
import { DeadlineDesk, type DeadlineWork } from "../../engine/effects/deadline-desk.ts";
import { EffectRunner, type EffectWork } from "../../engine/effects/effect-runner.ts";
import { CrashSignal } from "../../engine/error-policy.ts";
import { TransientError } from "../../engine/errors.ts";
import { ManualClock, SeededRandom } from "../../engine/memory/clock.ts";
import { MemoryDeadlines } from "../../engine/memory/deadlines.ts";
import { MemoryEffectLedger } from "../../engine/memory/effect-ledger.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import type {
  AppendOptions,
  AppendRequest,
  AppendVerdict,
} from "../../engine/ports/event-store.ts";
import type { Labels, Metrics } from "../../engine/ports/metrics.ts";
import { orderDue, place } from "./shop.ts";

/** Remembers every metric by its name and labels. */
export class Told implements Metrics {
  readonly values = new Map<string, number>();

  count(name: string, by: number, labels?: Labels): void {
    this.values.set(named(name, labels), (this.values.get(named(name, labels)) ?? 0) + by);
  }
  gauge(name: string, value: number, labels?: Labels): void {
    this.values.set(named(name, labels), value);
  }
  drop(name: string, labels: Labels): void {
    this.values.delete(named(name, labels));
  }
  observe(name: string, _: number, labels?: Labels): void {
    this.count(`${name} observed`, 1, labels);
  }
}

const named = (name: string, labels: Labels = {}): string =>
  [name, ...Object.values(labels)].join(" ");

/** Appends fail while it is `out`, before or after they are made. */
export class TroubledEventStore extends MemoryEventStore {
  out: "no" | "before" | "after" = "no";

  override async append(request: AppendRequest, options: AppendOptions): Promise<AppendVerdict> {
    if (this.out === "before") throw new TransientError("gone", "The store is away.");
    const verdict = await super.append(request, options);
    if (this.out === "after") throw new TransientError("gone", "The answer was lost.");
    return verdict;
  }
}

/** A probe that crashes at the first visit of a point, and never again. */
export const crashingAt = (point: CrashPoint): Probe & { crashed: boolean } => ({
  crashed: false,
  at(here) {
    if (here !== point || this.crashed) return;
    this.crashed = true;
    throw new CrashSignal(point);
  },
});

let seeds = 0;

/** A shop's store, ledger and deadlines in memory, with a clock that is moved by hand. */
export class Stage {
  readonly clock = new ManualClock();
  readonly ledger = new MemoryEffectLedger({ clock: this.clock });
  readonly deadlines = new MemoryDeadlines();
  readonly events = new TroubledEventStore({
    clock: this.clock,
    effectLedger: this.ledger,
    deadlines: this.deadlines,
  });
  readonly codec = new JsonCodec();
  readonly metrics = new Told();
  readonly decider = this.newDecider();

  newDecider(): Decider {
    const { events: eventStore, codec, clock, metrics } = this;
    const random = new SeededRandom((seeds += 1));
    return new Decider({ eventStore, codec, clock, metrics, random, as: "processor" });
  }

  async place(order: string, more: { readonly dueMs?: number } = {}): Promise<void> {
    await this.decider.execute(place({ order, cents: 100, ...more }), { correlationId: order });
  }

  /** A process of its own that performs effects; by default on the shop's own decider. */
  performs(
    performers: readonly EffectPerformer[],
    more: Partial<EffectWork> & { readonly probe?: Probe; readonly decider?: Decider } = {},
  ): { readonly runner: EffectRunner; readonly run: Promise<void> } {
    const { probe, decider = this.decider, ...work } = more;
    const runner = new EffectRunner({
      ...this.#ports(decider, probe),
      work: { ledger: this.ledger, performers, ...work },
    });
    return { runner, run: this.#begun(runner) };
  }

  waits(
    more: Partial<DeadlineWork> & { readonly probe?: Probe; readonly decider?: Decider } = {},
  ): { readonly desk: DeadlineDesk; readonly run: Promise<void> } {
    const { probe, decider = this.decider, ...work } = more;
    const desk = new DeadlineDesk({
      ...this.#ports(decider, probe),
      work: { store: this.deadlines, eventStore: this.events, types: [orderDue], ...work },
    });
    return { desk, run: this.#begun(desk) };
  }

  #ports(decider: Decider, probe: Probe | undefined) {
    const { clock, metrics } = this;
    const random = new SeededRandom((seeds += 1));
    return { decider, wakeUps: decider.wakeUps, clock, metrics, random, probe };
  }

  #begun(one: { run(): Promise<void>; stop(): Promise<void> }): Promise<void> {
    const run = one.run();
    run.catch(() => undefined);
    onTestFinished(async () => {
      const stopped = one.stop();
      await this.until("it has stopped", () => settled(stopped));
    });
    return run;
  }

  /** Moves the clock on, a little at a time, until the condition holds. */
  async until(
    what: string,
    holds: () => boolean | Promise<boolean>,
    { stepMs = 10, withinMs = 600_000 } = {},
  ): Promise<void> {
    for (let passedMs = 0; !(await holds()); passedMs += stepMs) {
      if (passedMs > withinMs) throw new Error(`Not within ${withinMs} ms: ${what}.`);
      await this.quiet();
      if (await holds()) return;
      this.clock.advance(stepMs);
    }
  }

  /** Lets everything happen that needs no time. */
  async quiet(): Promise<void> {
    for (let turns = 0; turns < 8; turns += 1) await turn();
  }

  /** Short names of what happened, with the order, in the order of positions. */
  async happened(): Promise<string[]> {
    const found: string[] = [];
    for await (const page of this.events.read({})) {
      found.push(...page.map(({ type, key }) => `${type.replace("shop.", "")} ${key}`));
    }
    return found;
  }

  async state(order: string): Promise<string | undefined> {
    return (await this.ledger.find(`charge/${order}`))?.state;
  }
}

/** Whether a promise has been resolved or rejected. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  const first = await Promise.race([promise.catch(() => undefined), turn(pending)]);
  return first !== pending;
}
