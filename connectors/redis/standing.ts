import type { Clock } from "../../engine/ports/clock.ts";
import type { ReadModelReader, ReadPosition } from "../../engine/ports/read-model-reader.ts";
import type { ReadModelSnapshots } from "../../engine/ports/read-model-snapshots.ts";
import type { Generation, ReadModel } from "../../engine/ports/read-model-store.ts";
import type { RedisReadModelStore } from "./read-model-store.ts";

export interface RedisStandingOptions {
  readonly models: readonly ReadModel[];
  readonly store: Pick<RedisReadModelStore, "adopt">;
  readonly snapshots: Pick<ReadModelSnapshots, "serving">;
  /** The store that commits first. */
  readonly primary: Pick<ReadModelReader, "positions">;
  readonly clock: Clock;
  /** How often the two are compared, and the pointer to the serving generation read (default 250). */
  readonly lookMs?: number;
}

interface Standing {
  readonly model: ReadModel;
  generation: Generation | undefined;
  /** Monotonic: Redis has all that the primary had then. undefined: it was never seen to. */
  reachedAtMs: number | undefined;
  /** What the primary had at a look, and Redis hadn't. */
  target: { readonly positions: readonly ReadPosition[]; readonly atMs: number } | undefined;
  readable: boolean;
}

/**
 * How far Redis is behind the store that commits first, and which generation serves: looked at in
 * turns, so that no query asks for it. While the primary can't be asked, what was known last counts.
 */
export class RedisStanding implements AsyncDisposable {
  readonly #options: RedisStandingOptions;
  readonly #standings = new Map<string, Standing>();
  readonly #ending = new AbortController();
  #done: Promise<void> = Promise.resolve();

  constructor(options: RedisStandingOptions) {
    this.#options = options;
    for (const model of options.models) {
      this.#standings.set(model.projection, {
        model,
        generation: undefined,
        reachedAtMs: undefined,
        target: undefined,
        readable: false,
      });
    }
  }

  /** Begins to look, at these positions of Redis. */
  start(redis: Pick<ReadModelReader, "positions">): void {
    this.#done = this.#run(redis);
  }

  has(projection: string): boolean {
    return this.#standings.has(projection);
  }

  /** The generation that serves, as seen last. */
  async serving(projection: string): Promise<Generation | undefined> {
    return this.#standings.get(projection)?.generation;
  }

  /** Milliseconds since the primary had no more than Redis has; Infinity where Redis can't be read. */
  lagMs(projection: string): number {
    const standing = this.#standings.get(projection);
    if (standing?.reachedAtMs === undefined || !standing.readable) return Infinity;
    return this.#options.clock.monotonicMs() - standing.reachedAtMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#done;
  }

  async #run(redis: Pick<ReadModelReader, "positions">): Promise<void> {
    const { clock, lookMs = 250 } = this.#options;
    while (!this.#ending.signal.aborted) {
      for (const standing of this.#standings.values()) await this.#look(standing, redis);
      await clock.sleep(lookMs, this.#ending.signal);
    }
  }

  async #look(standing: Standing, redis: Pick<ReadModelReader, "positions">): Promise<void> {
    const { clock, primary } = this.#options;
    const { projection } = standing.model;
    const atMs = clock.monotonicMs();
    let ahead: readonly ReadPosition[] | undefined;
    try {
      await this.#learn(standing);
      ahead = await primary.positions(projection);
    } catch {
      // It can't be asked, so it can't be told how far Redis is behind: that grows with the time.
    }
    try {
      const held = await redis.positions(projection);
      standing.readable = true;
      if (ahead !== undefined) compare(standing, { ahead, held, atMs });
    } catch {
      standing.readable = false;
    }
  }

  async #learn(standing: Standing): Promise<void> {
    const { snapshots, store } = this.#options;
    const serving = await snapshots.serving(standing.model.projection);
    if (serving?.generation === standing.generation?.generation) return;
    standing.target = undefined;
    standing.reachedAtMs = undefined;
    // Rows of another version are not what this code expects: they are the primary's to answer.
    const fits = serving?.version === standing.model.version;
    if (serving && fits) store.adopt(serving, standing.model);
    standing.generation = fits ? serving : undefined;
  }
}

function compare(
  standing: Standing,
  seen: {
    readonly ahead: readonly ReadPosition[];
    readonly held: readonly ReadPosition[];
    readonly atMs: number;
  },
): void {
  const { ahead, held, atMs } = seen;
  if (reaches(held, ahead)) {
    standing.reachedAtMs = atMs;
    standing.target = undefined;
    return;
  }
  const { target } = standing;
  if (target && reaches(held, target.positions)) standing.reachedAtMs = target.atMs;
  if (!target || standing.reachedAtMs === target.atMs) standing.target = { positions: ahead, atMs };
}

/** Is every partition at least where it is wanted, in the same log? */
export function reaches(held: readonly ReadPosition[], wanted: readonly ReadPosition[]): boolean {
  return wanted.every(({ topic, partition, position }) =>
    held.some(
      (at) =>
        at.topic === topic &&
        at.partition === partition &&
        at.position.logId === position.logId &&
        at.position.nextOffset >= position.nextOffset,
    ),
  );
}
