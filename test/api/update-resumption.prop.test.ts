import { setImmediate } from "node:timers/promises";

import { array, assert, asyncProperty, constant, constantFrom, integer, oneof } from "fast-check";
import pino from "pino";
import { expect, test } from "vitest";

import { defaultApiOptions } from "../../api/index.ts";
import { vectorOf } from "../../api/updates/event-id.ts";
import { UpdateFeed } from "../../api/updates/feed.ts";
import { type Outlet, Subscription } from "../../api/updates/subscription.ts";
import type { Update } from "../../api/updates/update.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import { Campus } from "./campus.ts";

/** The first two share a partition, so that an id can be ahead of one of them. */
const modules = ["M-1", "M-6", "M-2"];

const wishes = [undefined, new Set(["M-1"]), new Set(modules)];
const logger = pino({ level: "silent" });

const step = oneof(
  { weight: 6, arbitrary: constantFrom(...modules).map((code) => ({ publish: code })) },
  { weight: 3, arbitrary: integer({ min: 1, max: 300 }).map((ms) => ({ restMs: ms })) },
  { weight: 2, arbitrary: constant({ reconnect: true }) },
);

/** A listener that comes and goes, held against what was published. */
class Stage implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly #campus: Campus;
  readonly #feed: UpdateFeed;
  readonly #wish: ReadonlySet<string> | undefined;
  /** Of each module: the lane's sequence of its first, second, ... notice. */
  readonly #published = new Map<string, number[]>();
  readonly #lanes = new Map<number, number>();
  readonly #known = new Map<string, number>();
  /** Of this connection: when it was told of each module. */
  #toldAtMs = new Map<string, number[]>();
  #subscription: Subscription | undefined;
  #lastId: string | undefined;

  private constructor(campus: Campus, wish: ReadonlySet<string> | undefined) {
    this.#campus = campus;
    this.#wish = wish;
    const { log, codec } = campus;
    this.#feed = new UpdateFeed({
      log,
      codec,
      clock: this.clock,
      options: defaultApiOptions,
      logger,
    });
  }

  static async open(wish: ReadonlySet<string> | undefined): Promise<Stage> {
    const stage = new Stage(await Campus.open(), wish);
    stage.#feed.start();
    await stage.#feed.started;
    stage.connect();
    return stage;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#feed[Symbol.asyncDispose]();
    await this.#campus.log[Symbol.asyncDispose]();
  }

  connect(): void {
    this.#subscription?.[Symbol.dispose]();
    this.#toldAtMs = new Map();
    const subscription = new Subscription({
      feed: this.#feed,
      outlet: this.#outlet(),
      wish: { modules: this.#wish, after: vectorOf(this.#lastId) },
      limits: defaultApiOptions,
      logger,
    });
    this.#subscription = subscription;
    void subscription.catchUp();
  }

  async publish(moduleCode: string): Promise<void> {
    const partition = partitionOf(moduleCode, 10);
    const sequence = (this.#lanes.get(partition) ?? 0) + 1;
    this.#lanes.set(partition, sequence);
    const all = this.#published.get(moduleCode) ?? [];
    this.#published.set(moduleCode, [...all, sequence]);
    const seats = { capacity: 1_000, held: 0, available: 1, sourcePosition: "" };
    await this.#campus.publish({ moduleCode, confirmed: all.length + 1, ...seats });
  }

  async rest(ms: number): Promise<void> {
    this.clock.advance(ms);
    await setImmediate();
  }

  lacks(): readonly string[] {
    return [...this.#published].flatMap(([code, { length }]) =>
      this.#follows(code) && this.#known.get(code) !== length ? [code] : [],
    );
  }

  #follows(code: string): boolean {
    return this.#wish?.has(code) ?? true;
  }

  #outlet(): Outlet {
    const never = (): boolean => expect.fail("Nothing was lost.");
    return {
      update: (update) => this.#told(update),
      hello: (id) => this.#stands(id),
      reset: never,
      heartbeat: () => true,
      end: () => undefined,
      drained: () => Promise.resolve(),
    };
  }

  #told({ notice, id }: Update): boolean {
    const { moduleCode, confirmed } = notice.event;
    const times = this.#toldAtMs.get(moduleCode) ?? [];
    const known = this.#known.get(moduleCode) ?? 0;
    // A new connection may hear again what the one before had; one never repeats itself.
    if (times.length === 0) expect(confirmed).toBeGreaterThanOrEqual(known);
    else expect(confirmed).toBeGreaterThan(known);
    this.#known.set(moduleCode, confirmed);
    const nowMs = this.clock.monotonicMs();
    this.#toldAtMs.set(moduleCode, [...times, nowMs]);
    const apartMs = 1_000 / defaultApiOptions.updatesPerSecondMax;
    expect(nowMs - (times.at(-1) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(apartMs);
    return this.#stands(id);
  }

  /** What a module has come to is known here, or comes after the id. */
  #stands(id: string): boolean {
    const vector = vectorOf(id);
    for (const [code, sequences] of this.#published) {
      if (!this.#follows(code)) continue;
      const last = vector?.get(partitionOf(code, 10)) ?? 0;
      const newest = sequences.at(-1) ?? 0;
      if (newest <= last) expect(this.#known.get(code)).toBe(sequences.length);
    }
    this.#lastId = id;
    return true;
  }
}

test("a listener that comes back with its last id loses nothing, and is never told more often", async () => {
  expect(partitionOf("M-6", 10)).toBe(partitionOf("M-1", 10));
  await assert(
    asyncProperty(
      constantFrom(...wishes),
      array(step, { minLength: 5, maxLength: 60 }),
      async (wish, steps) => {
        await using stage = await Stage.open(wish);
        for (const one of steps) {
          if ("publish" in one) await stage.publish(one.publish);
          else if ("restMs" in one) await stage.rest(one.restMs);
          else stage.connect();
        }
        for (let looks = 0; stage.lacks().length > 0 && looks < 400; looks += 1) {
          await stage.rest(10);
        }
        expect(stage.lacks()).toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
});
