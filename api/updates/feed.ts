import { setMaxListeners } from "node:events";
import { setImmediate } from "node:timers/promises";

import type { FastifyBaseLogger } from "fastify";

import { FatalError } from "../../engine/errors.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { EventCodec } from "../../engine/ports/codec.ts";
import type { Fetch, RecordLog } from "../../engine/ports/record-log.ts";
import { type Offset, offset } from "../../engine/position.ts";
import { registrationUpdates } from "../../schemas/topics.ts";
import type { ApiOptions } from "../options.ts";
import { Audience } from "./audience.ts";
import { NoticeReader } from "./notice-reader.ts";
import { type ReplaySource, startOf } from "./replay.ts";
import { type Notice, PositionVector, Update } from "./update.ts";

/** What the feed does with one listener. None of these may throw or wait. */
export interface FeedListener {
  readonly update: (update: Update) => void;
  /** Updates may have been missed; what follows is after `id`. */
  readonly reset: (id: string) => void;
  readonly heartbeat: () => void;
  /** The server closes. */
  readonly end: (reason: string) => void;
}

export interface UpdateFeedOptions {
  readonly log: Pick<RecordLog, "bounds" | "read">;
  readonly codec: Pick<EventCodec, "events">;
  readonly clock: Clock;
  readonly options: Pick<ApiOptions, "heartbeatMs" | "listenersMax">;
  readonly logger: FastifyBaseLogger;
}

const topic = registrationUpdates.name;
/** Updates that are told in one turn of the event loop. */
const burst = 16;
const retryMs = { first: 100, most: 5_000 };

/**
 * Reads the notices of seats once and hands them to all who listen. A failing log is tried again
 * for ever: listeners stay, and hear what they missed when it answers.
 */
export class UpdateFeed implements AsyncDisposable {
  /** For replays: the same log and decoder. */
  readonly source: ReplaySource;

  readonly #given: UpdateFeedOptions;
  readonly #listeners = new Audience<FeedListener>();
  readonly #stop = new AbortController();
  #vector = new PositionVector("");
  /** Where the next record of each partition is read; undefined until the ends were found. */
  #next: Map<number, Offset> | undefined;
  #failure: string | undefined;
  #running: Promise<unknown> | undefined;
  readonly #started = Promise.withResolvers<void>();

  constructor(given: UpdateFeedOptions) {
    this.#given = given;
    this.source = { log: given.log, notices: new NoticeReader(given.codec) };
    setMaxListeners(0, this.#stop.signal);
  }

  /** Begins to read, at the log's ends. */
  start(): void {
    this.#running ??= Promise.all([this.#read(), this.#beat()]);
  }

  /** Resolves when the feed stands at the log's ends: what comes afterwards is heard. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** Why updates can't be read at the moment; undefined when all is well. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** It stands in the log: what comes from now on is heard. */
  get ready(): boolean {
    return this.#next !== undefined;
  }

  get full(): boolean {
    return this.#listeners.size >= this.#given.options.listenersMax;
  }

  /** Aborts when the feed ends. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Where the feed stands: everything that a listener hears from now on comes after it. */
  position(): PositionVector {
    return this.#vector.copy();
  }

  /** Listens from now on, to these modules or, where none are named, to all; the answer ends it. */
  listen(listener: FeedListener, modules: ReadonlySet<string> | undefined): () => void {
    return this.#listeners.add(listener, modules);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    for (const listener of this.#listeners) listener.end("the server is closing");
    this.#listeners.clear();
    await this.#running;
  }

  async #beat(): Promise<void> {
    const { clock, options } = this.#given;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await clock.sleep(options.heartbeatMs, signal);
      if (!signal.aborted) for (const listener of this.#listeners) listener.heartbeat();
    }
  }

  async #read(): Promise<void> {
    const { clock } = this.#given;
    const { signal } = this.#stop;
    let pauseMs = retryMs.first;
    while (!signal.aborted) {
      try {
        await this.#findEnds();
        this.#failure = undefined;
        await this.#follow();
      } catch (error) {
        if (signal.aborted) return;
        if (this.#failure === undefined) pauseMs = retryMs.first;
        this.#failed(error);
        await clock.sleep(pauseMs, signal);
        pauseMs = Math.min(pauseMs * 2, retryMs.most);
      }
    }
  }

  #failed(error: unknown): void {
    this.#failure = error instanceof Error ? error.message : String(error);
    this.#given.logger.warn({ err: error }, "the feed of updates can't read the log; trying again");
    // Retention has passed the feed, or the topic was made anew: go on at its ends.
    if (error instanceof FatalError) this.#next = undefined;
  }

  /** Goes to the ends, with the vector of the last record of each partition. */
  async #findEnds(): Promise<void> {
    // Also asked for where the place is known: it tells that the log answers again.
    const bounds = await this.#given.log.bounds(topic);
    if (this.#next !== undefined) return;
    const next = new Map<number, Offset>();
    const lasts = new Map<number, Offset>();
    for (const { partition, start, end } of bounds) {
      next.set(partition, end);
      if (end > start) lasts.set(partition, offset(end - 1n));
    }
    const vector = new PositionVector("");
    if (lasts.size > 0) await this.#readLast(lasts, { next, vector });
    this.#vector = vector;
    this.#next = next;
    this.#started.resolve();
    const id = vector.token();
    for (const listener of this.#listeners) listener.reset(id);
  }

  async #readLast(
    lasts: ReadonlyMap<number, Offset>,
    found: { readonly next: Map<number, Offset>; readonly vector: PositionVector },
  ): Promise<void> {
    const { log } = this.#given;
    const { signal } = this.#stop;
    for await (const fetch of log.read({ topic, from: lasts, until: "end", signal })) {
      for (const fetched of fetch.partitions) {
        const from = startOf(lasts, fetched);
        for await (const notice of this.source.notices.read(fetched, from)) {
          found.vector.advance(notice);
        }
        // What came meanwhile is in the vector, so it isn't read a second time.
        found.next.set(fetched.partition, fetched.nextOffset);
      }
    }
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    const from = this.#next ?? new Map<number, Offset>();
    const { log } = this.#given;
    for await (const fetch of log.read({ topic, from, until: "forever", signal })) {
      await this.#deliver(fetch, from);
    }
  }

  async #deliver(fetch: Fetch, next: Map<number, Offset>): Promise<void> {
    let told = 0;
    for (const fetched of fetch.partitions) {
      const from = startOf(next, fetched);
      for await (const notice of this.source.notices.read(fetched, from)) {
        this.#tell(notice);
        told += 1;
        // Sockets are emptied between turns of the event loop: a burst must not look like a crowd
        // of slow readers.
        if (told % burst === 0) await setImmediate();
      }
      next.set(fetched.partition, fetched.nextOffset);
    }
  }

  #tell(notice: Notice): void {
    if (!this.#vector.advance(notice) || this.#listeners.size === 0) return;
    const update = new Update(notice, this.#vector.token());
    for (const listener of this.#listeners.of(notice.event.moduleCode)) listener.update(update);
  }
}
