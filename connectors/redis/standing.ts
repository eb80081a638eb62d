import type { Clock } from "../../engine/ports/clock.ts";
import type { ReadModelReader, ReadPosition } from "../../engine/ports/read-model-reader.ts";
import type { ReadModelSnapshots } from "../../engine/ports/read-model-snapshots.ts";
import type { Generation, ReadModel } from "../../engine/ports/read-model-store.ts";
import { NotWholeError } from "./cold.ts";
import type { RedisReadModelStore } from "./read-model-store.ts";

export interface RedisStandingOptions {
  readonly models: readonly ReadModel[];
  readonly store: Pick<RedisReadModelStore, "adopt">;
  readonly snapshots: Pick<ReadModelSnapshots, "serving">;
  /** The store that commits first. */
  readonly primary: Pick<ReadModelReader, "positions">;
  readonly clock: Clock;
  /** Gives a turn when the pointer may have moved: it is looked at then, too. */
  readonly turns?: (signal: AbortSignal) => AsyncIterable<void>;
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
  /** What Redis had at the last look; undefined where it couldn't be asked. */
  held: HeldPositions | undefined;
  /** Partitions that lacked something then. */
  behind: readonly number[];
  reason: string | undefined;
}

/** Where Redis stands with one projection. */
export interface HeldPositions {
  /** Of the partitions that are whole there. */
  readonly positions: readonly ReadPosition[];
  /** Those that aren't, and why. */
  readonly cold: readonly number[];
  readonly reason: string | undefined;
}

/** How Redis stands with one projection, as seen at the last look. */
export interface RedisStands {
  /** See `RedisStanding.lagMs`. */
  readonly lagMs: number;
  /** Milliseconds since it was last seen to have all; undefined: it never was. */
  readonly ageMs: number | undefined;
  /** Partitions that lacked something, in their order; the last known where Redis can't be asked. */
  readonly behind: readonly number[];
  /** Why it isn't read, or isn't known. */
  readonly reason: string | undefined;
}

/**
 * How far Redis is behind the store that commits first, and which generation serves: looked at in
 * turns, so that no query asks for it. While the primary can't be asked, what was known last counts.
 */
export class RedisStanding implements AsyncDisposable {
  readonly #options: RedisStandingOptions;
  readonly #standings = new Map<string, Standing>();
  readonly #ending = new AbortController();
  #wake = new AbortController();
  #done: Promise<unknown> = Promise.resolve();

  constructor(options: RedisStandingOptions) {
    this.#options = options;
    for (const model of options.models) {
      this.#standings.set(model.projection, {
        model,
        generation: undefined,
        reachedAtMs: undefined,
        target: undefined,
        held: undefined,
        behind: [],
        reason: "nobody has looked yet",
      });
    }
  }

  /** Begins to look, at these positions of Redis. */
  start(redis: Pick<ReadModelReader, "positions">): void {
    this.#done = Promise.all([this.#run(redis), this.#followTurns()]);
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
    if (standing?.reachedAtMs === undefined || !isWhole(standing.held)) return Infinity;
    return this.#options.clock.monotonicMs() - standing.reachedAtMs;
  }

  stands(projection: string): RedisStands {
    const { behind = [], reachedAtMs, reason } = this.#standings.get(projection) ?? {};
    const nowMs = this.#options.clock.monotonicMs();
    const ageMs = reachedAtMs === undefined ? undefined : nowMs - reachedAtMs;
    return { lagMs: this.lagMs(projection), ageMs, behind, reason };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#done;
  }

  async #run(redis: Pick<ReadModelReader, "positions">): Promise<void> {
    const { clock, lookMs = 250 } = this.#options;
    while (!this.#ending.signal.aborted) {
      this.#wake = new AbortController();
      for (const standing of this.#standings.values()) await this.#look(standing, redis);
      await clock.sleep(lookMs, AbortSignal.any([this.#ending.signal, this.#wake.signal]));
    }
  }

  async #followTurns(): Promise<void> {
    const { turns } = this.#options;
    const { signal } = this.#ending;
    if (turns === undefined) return;
    try {
      for await (const _ of turns(signal)) this.#wake.abort();
    } catch {
      // Looks come by time all the same.
    }
  }

  async #look(standing: Standing, redis: Pick<ReadModelReader, "positions">): Promise<void> {
    const { clock, primary } = this.#options;
    const { projection } = standing.model;
    const atMs = clock.monotonicMs();
    let ahead: readonly ReadPosition[] | undefined;
    let reason: string | undefined;
    try {
      await this.#learn(standing);
      ahead = await primary.positions(projection);
    } catch (error) {
      // It can't be asked, so it can't be told how far Redis is behind: that grows with the time.
      reason = textOf(error);
    }
    try {
      const held = await heldPositions(redis, projection);
      standing.held = held;
      standing.reason = held.reason ?? reason;
      if (ahead === undefined) return;
      standing.behind = partitionsBehind(held, ahead);
      if (isWhole(held)) compare(standing, { ahead, held: held.positions, atMs });
    } catch (error) {
      standing.held = undefined;
      standing.reason = textOf(error);
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

/** @throws when Redis can't be asked; a partition that isn't whole there is no failure. */
export async function heldPositions(
  redis: Pick<ReadModelReader, "positions">,
  projection: string,
): Promise<HeldPositions> {
  try {
    return { positions: await redis.positions(projection), cold: [], reason: undefined };
  } catch (error) {
    if (!(error instanceof NotWholeError)) throw error;
    return { positions: error.positions, cold: error.partitions, reason: error.message };
  }
}

/** Partitions that aren't whole, or stand before the store that commits first, in their order. */
export function partitionsBehind(
  { positions, cold }: Pick<HeldPositions, "positions" | "cold">,
  ahead: readonly ReadPosition[],
): number[] {
  const lacking = ahead.filter((one) => !reaches(positions, [one]));
  const all = new Set([...cold, ...lacking.map(({ partition }) => partition)]);
  return [...all].sort((a, b) => a - b);
}

const isWhole = (held: HeldPositions | undefined): boolean => held?.cold.length === 0;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

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
