import { setImmediate } from "node:timers/promises";

import type { Clock } from "../../engine/ports/clock.ts";
import type { ApiOptions } from "../options.ts";
import { Audience } from "./audience.ts";
import { type Notice, PositionVector, subjectOf, Update } from "./update.ts";
import { UpdateWindows } from "./windows.ts";

/** What is done with one listener. None of these may throw or wait. */
export interface FeedListener {
  readonly update: (update: Update) => void;
  /** Updates may have been missed; what follows is after `id`. */
  readonly reset: (id: string) => void;
  readonly heartbeat: () => void;
  /** The server closes. */
  readonly end: (reason: string) => void;
}

export interface BroadcastOptions {
  readonly clock: Clock;
  readonly options: Pick<ApiOptions, "heartbeatMs" | "updatesPerSecondMax">;
}

/**
 * What is told in one turn of the event loop. Sockets are emptied between turns, so many updates at
 * once must not make one reader look slow; and many listeners must not hold up what else is served.
 */
const burst = { updates: 16, writes: 500 } as const;
/** How often windows are looked at in the time that one lasts. */
const looksPerWindow = 25;

/**
 * Tells all who listen, each module as often as its window allows. The ids that it gives are never
 * ahead of what was told: what waits for its window is taken out of them, for each group of
 * listeners what waits for that group.
 */
export class Broadcast implements AsyncDisposable {
  readonly #given: BroadcastOptions;
  readonly #listeners = new Audience<FeedListener>();
  readonly #windows: UpdateWindows;
  readonly #stop = new AbortController();
  #vector = new PositionVector("");
  #beating: Promise<void> | undefined;
  /** Undefined while no window is open. */
  #turning: Promise<void> | undefined;
  /** Since other work had its turn. */
  #updates = 0;
  #writes = 0;

  constructor(given: BroadcastOptions) {
    this.#given = given;
    const { clock, options } = given;
    this.#windows = new UpdateWindows({
      clock,
      updatesPerSecondMax: options.updatesPerSecondMax,
      tell: (notice) => this.#tell(notice),
    });
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Begins to give signs of life. */
  start(): void {
    this.#beating ??= this.#beat();
  }

  /** Listens from now on, to these modules or, where none are named, to all; the answer ends it. */
  listen(listener: FeedListener, modules: ReadonlySet<string> | undefined): () => void {
    return this.#listeners.add(listener, modules);
  }

  /** Where those stand who follow these modules: what they are told from now on comes after it. */
  position(modules: ReadonlySet<string> | undefined): PositionVector {
    const vector = this.#vector.copy();
    this.#windows.holdBack(vector, modules);
    return vector;
  }

  take(notice: Notice): void {
    if (!this.#vector.advance(notice) || !this.#listeners.has(subjectOf(notice))) return;
    this.#windows.take(notice);
    this.#turning ??= this.#turn();
  }

  /** See `UpdateWindows.takeLate`. */
  takeLate(moduleCode: string, tell: () => void): void {
    this.#windows.takeLate(moduleCode, tell);
    this.#turning ??= this.#turn();
  }

  /** Goes on elsewhere in the log: who listens hears that updates may have been missed. */
  resetTo(vector: PositionVector): void {
    this.#vector = vector;
    this.#windows.forget();
    const id = vector.token();
    for (const listener of this.#listeners) listener.reset(id);
  }

  /** Lets other work have its turn, after a burst. */
  async rest(): Promise<void> {
    if (this.#updates < burst.updates && this.#writes < burst.writes) return;
    this.#updates = 0;
    this.#writes = 0;
    await setImmediate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    for (const listener of this.#listeners) listener.end("the server is closing");
    this.#listeners.clear();
    await Promise.all([this.#beating, this.#turning]);
  }

  #tell(notice: Notice): void {
    this.#updates += 1;
    for (const { modules, listeners } of this.#listeners.of(subjectOf(notice))) {
      const update = new Update(notice, this.position(modules).token());
      for (const listener of listeners) listener.update(update);
      this.#writes += listeners.size;
    }
  }

  async #turn(): Promise<void> {
    const { clock } = this.#given;
    const { signal } = this.#stop;
    const pauseMs = Math.max(1, this.#windows.windowMs / looksPerWindow);
    while (!this.#windows.idle && !signal.aborted) {
      await clock.sleep(pauseMs, signal);
      for (const _ of this.#windows.turn()) await this.rest();
    }
    this.#turning = undefined;
  }

  async #beat(): Promise<void> {
    const { clock, options } = this.#given;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await clock.sleep(options.heartbeatMs, signal);
      for (const listener of this.#listeners) {
        if (signal.aborted) return;
        listener.heartbeat();
        this.#writes += 1;
        await this.rest();
      }
    }
  }
}
