import { setMaxListeners } from "node:events";

import type { FastifyBaseLogger } from "fastify";

import { FatalError } from "../../engine/errors.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { EventCodec } from "../../engine/ports/codec.ts";
import type { Fetch, RecordLog } from "../../engine/ports/record-log.ts";
import { type Offset, offset } from "../../engine/position.ts";
import { registrationUpdates } from "../../schemas/topics.ts";
import type { ApiOptions } from "../options.ts";
import { Broadcast, type FeedListener } from "./broadcast.ts";
import { NoticeReader } from "./notice-reader.ts";
import { type ReplaySource, startOf } from "./replay.ts";
import { PositionVector } from "./update.ts";

export interface UpdateFeedOptions {
  readonly log: Pick<RecordLog, "bounds" | "read">;
  readonly codec: Pick<EventCodec, "events">;
  readonly clock: Clock;
  readonly options: Pick<ApiOptions, "heartbeatMs" | "listenersMax" | "updatesPerSecondMax">;
  readonly logger: FastifyBaseLogger;
}

const topic = registrationUpdates.name;
const retryMs = { first: 100, most: 5_000 };

/**
 * Reads the notices of seats once and hands them to all who listen. A failing log is tried again
 * for ever: listeners stay, and hear what they missed when it answers.
 */
export class UpdateFeed implements AsyncDisposable {
  /** For replays: the same log and decoder. */
  readonly source: ReplaySource;

  readonly #given: UpdateFeedOptions;
  readonly #broadcast: Broadcast;
  readonly #stop = new AbortController();
  /** Where the next record of each partition is read; undefined until the ends were found. */
  #next: Map<number, Offset> | undefined;
  #failure: string | undefined;
  #running: Promise<void> | undefined;
  readonly #started = Promise.withResolvers<void>();

  constructor(given: UpdateFeedOptions) {
    this.#given = given;
    this.#broadcast = new Broadcast(given);
    this.source = { log: given.log, notices: new NoticeReader(given.codec) };
    setMaxListeners(0, this.#stop.signal);
  }

  /** Begins to read, at the log's ends. */
  start(): void {
    this.#broadcast.start();
    this.#running ??= this.#read();
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
    return this.#broadcast.size >= this.#given.options.listenersMax;
  }

  /** Aborts when the feed ends. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Where those stand who follow these modules: what they are told from now on comes after it. */
  position(modules: ReadonlySet<string> | undefined): PositionVector {
    return this.#broadcast.position(modules);
  }

  /** Listens from now on, to these modules or, where none are named, to all; the answer ends it. */
  listen(listener: FeedListener, modules: ReadonlySet<string> | undefined): () => void {
    return this.#broadcast.listen(listener, modules);
  }

  /** Calls `tell` when the module may be told of, at once or at its window's end. */
  tellLate(moduleCode: string, tell: () => void): void {
    this.#broadcast.takeLate(moduleCode, tell);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await Promise.all([this.#broadcast[Symbol.asyncDispose](), this.#running]);
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
    this.#next = next;
    this.#started.resolve();
    this.#broadcast.resetTo(vector);
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
    for (const fetched of fetch.partitions) {
      const from = startOf(next, fetched);
      for await (const notice of this.source.notices.read(fetched, from)) {
        this.#broadcast.take(notice);
        await this.#broadcast.rest();
      }
      next.set(fetched.partition, fetched.nextOffset);
    }
  }
}
