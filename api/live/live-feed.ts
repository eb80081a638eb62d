import type { FastifyBaseLogger } from "fastify";

import type { Clock } from "../../engine/ports/clock.ts";
import { sseFrame } from "../updates/update.ts";
import type { LiveFrame } from "./frame.ts";
import type { LiveSources } from "./sources.ts";

/** One message to all who watch, made once. */
export interface LiveMessage {
  readonly sse: string;
  /** For WebSockets. */
  readonly text: string;
}

export type LiveEndCode = "draining" | "slow-reader" | "session-expired" | "session-revoked";

/** What the feed does with one who watches. None of these may throw or wait. */
export interface LiveListener {
  readonly tell: (message: LiveMessage) => void;
  readonly end: (code: LiveEndCode, reason: string) => void;
}

export interface LiveFeedOptions {
  readonly live: LiveSources;
  readonly clock: Clock;
  readonly logger: FastifyBaseLogger;
  /** From one frame to the next; a frame that takes longer to gather delays it. */
  readonly intervalMs?: number;
  readonly listenersMax?: number;
}

export const liveDefaults = { intervalMs: 1_000, listenersMax: 500 } as const;

/**
 * Gathers frames while somebody watches, once for all of them, and nothing while nobody does. What
 * can't be gathered is told as `trouble` and tried again at the next second.
 */
export class LiveFeed implements AsyncDisposable {
  readonly #options: Required<LiveFeedOptions>;
  readonly #listeners = new Set<LiveListener>();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  /** So that who comes in the middle of a second sees something at once. */
  #last: LiveMessage | undefined;

  constructor(options: LiveFeedOptions) {
    this.#options = { ...liveDefaults, ...options };
  }

  get full(): boolean {
    return this.#listeners.size >= this.#options.listenersMax;
  }

  get listenersMax(): number {
    return this.#options.listenersMax;
  }

  /** Watches from now on; the answer ends it. */
  listen(listener: LiveListener): () => void {
    this.#listeners.add(listener);
    if (this.#last !== undefined) listener.tell(this.#last);
    this.#running ??= this.#run();
    return () => this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const listener of this.#listeners) listener.end("draining", "the server is closing");
    this.#listeners.clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, intervalMs, live } = this.#options;
    const { signal } = this.#stop;
    // Without it the first rates would be of all the time in which nobody watched.
    live.commands.forget();
    while (this.#listeners.size > 0 && !signal.aborted) {
      const fromMs = clock.nowMs();
      this.#last = await this.#message();
      for (const listener of this.#listeners) listener.tell(this.#last);
      await clock.sleep(Math.max(0, intervalMs - (clock.nowMs() - fromMs)), signal);
    }
    this.#last = undefined;
    this.#running = undefined;
  }

  async #message(): Promise<LiveMessage> {
    const { clock, live, logger } = this.#options;
    const atMs = clock.nowMs();
    try {
      const gathered = await live.gather();
      const commands = live.commands.rates(clock.nowMs());
      const gatheredInMs = clock.nowMs() - atMs;
      return messageOf("frame", { atMs, gatheredInMs, commands, ...gathered } satisfies LiveFrame);
    } catch (error) {
      logger.warn({ err: error }, "the live view can't be gathered; trying again");
      const reason = "What the system does can't be read at the moment.";
      return messageOf("trouble", { atMs, reason });
    }
  }
}

const messageOf = (event: "frame" | "trouble", data: object): LiveMessage => ({
  sse: sseFrame({ event, data }),
  text: JSON.stringify({ event, data }),
});
