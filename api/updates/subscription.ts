import { RecordError } from "../../engine/errors.ts";
import { decodePositionToken } from "../../engine/position-token.ts";
import type { FastifyBaseLogger } from "fastify";

import { registrationUpdates } from "../../schemas/topics.ts";
import type { ApiOptions } from "../options.ts";
import { ProblemError } from "../problem.ts";
import type { FeedListener, UpdateFeed } from "./feed.ts";
import { replay, replayStart } from "./replay.ts";
import { type Notice, PositionVector, Update } from "./update.ts";

/** One open stream: what a socket must be able to do. */
export interface Outlet {
  /** Sends an update; false when so many bytes wait that the reader is too slow. */
  readonly update: (update: Update) => boolean;
  /** Tells where the stream stands, so that a reader can resume before the first update. */
  readonly hello: (id: string) => boolean;
  /** Tells that updates may have been missed. */
  readonly reset: (id: string, reason: string) => boolean;
  readonly heartbeat: () => boolean;
  /** Says why, then closes. */
  readonly end: (code: "slow-reader" | "draining" | "failed", reason: string) => void;
  /** Resolves when what was sent has left, or the socket is closed. */
  readonly drained: () => Promise<void>;
}

export interface Wish {
  /** Codes; undefined: all modules. */
  readonly modules: ReadonlySet<string> | undefined;
  /** Id of the last update that was seen. */
  readonly after: PositionVector | undefined;
}

export interface SubscriptionOptions {
  readonly feed: UpdateFeed;
  readonly outlet: Outlet;
  readonly wish: Wish;
  readonly limits: Pick<ApiOptions, "replayMax">;
  readonly logger: FastifyBaseLogger;
}

/**
 * One listener of the feed. A resumed one first replays what it missed out of the log while live
 * updates wait; its vector then drops those that it has had.
 */
export class Subscription implements FeedListener, Disposable {
  readonly #given: SubscriptionOptions;
  readonly #closed = new AbortController();
  readonly #leave: () => void;
  /** Live updates that wait for the replay; undefined: it is live. */
  #waiting: Update[] | undefined;

  constructor(given: SubscriptionOptions) {
    this.#given = given;
    const { feed, outlet, wish } = given;
    this.#waiting = wish.after === undefined ? undefined : [];
    this.#leave = feed.listen(this, wish.modules);
    if (wish.after === undefined) this.#check(outlet.hello(feed.position().token()));
  }

  /** Replays what was missed since the wish's position; returns when the stream is live. */
  async catchUp(): Promise<void> {
    const { after } = this.#given.wish;
    if (after === undefined) return;
    try {
      await this.#replay(after.copy());
    } catch (error) {
      if (this.#closed.signal.aborted) return;
      this.#given.logger.warn({ err: error }, "a stream of updates could not be resumed");
      this.#close("failed", "what was missed can't be read now: connect again");
    }
  }

  async #replay(vector: PositionVector): Promise<void> {
    const { feed, limits, outlet } = this.#given;
    const { source } = feed;
    const current = feed.position();
    if (isAnotherLife(current.incarnation, vector.incarnation)) {
      return this.#goLive(current, "the store has begun a new life since");
    }
    const signal = AbortSignal.any([this.#closed.signal, feed.signal]);
    const start = await replayStart(source, vector, { ...limits, signal });
    if (start.outcome !== "found") return this.#goLive(current, whyLost[start.outcome]);
    this.#check(outlet.hello(vector.token()));
    for await (const notice of replay(source, start.from, signal)) {
      if (!vector.advance(notice) || !this.#wants(notice)) continue;
      this.#check(outlet.update(new Update(notice, vector.token())));
      await outlet.drained();
    }
    this.#goLive(vector, undefined);
  }

  /** What waited is sent where it is newer than the vector; from now on updates pass at once. */
  #goLive(vector: PositionVector, lost: string | undefined): void {
    if (lost !== undefined) this.#check(this.#given.outlet.reset(vector.token(), lost));
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const update of waiting) {
      if (vector.advance(update.notice)) this.update(update);
    }
  }

  update(update: Update): void {
    if (this.#closed.signal.aborted) return;
    if (this.#waiting === undefined) {
      this.#check(this.#given.outlet.update(update));
    } else if (this.#waiting.length >= this.#given.limits.replayMax) {
      this.#check(false);
    } else {
      this.#waiting.push(update);
    }
  }

  reset(id: string): void {
    this.#waiting = this.#waiting === undefined ? undefined : [];
    this.#check(this.#given.outlet.reset(id, "the feed has begun again"));
  }

  heartbeat(): void {
    this.#check(this.#given.outlet.heartbeat());
  }

  end(reason: string): void {
    this.#close("draining", reason);
  }

  [Symbol.dispose](): void {
    this.#leave();
    this.#closed.abort();
  }

  #wants(notice: Notice): boolean {
    const { modules } = this.#given.wish;
    return modules === undefined || modules.has(notice.event.moduleCode);
  }

  #check(keptUp: boolean): void {
    if (!keptUp) this.#close("slow-reader", "more bytes wait for this reader than may");
  }

  #close(code: Parameters<Outlet["end"]>[0], reason: string): void {
    if (this.#closed.signal.aborted) return;
    this[Symbol.dispose]();
    this.#given.outlet.end(code, reason);
  }
}

const whyLost = {
  lost: "updates that were missed are no longer kept",
  "too-many": "too many updates were missed",
} as const;

/** An empty incarnation stands for a log that had no updates yet: any life may follow. */
const isAnotherLife = (now: string, then: string): boolean =>
  now !== "" && then !== "" && now !== then;

/** @throws ProblemError 400 for an id that no update ever had. */
export function vectorOf(id: string | undefined): PositionVector | undefined {
  if (id === undefined || id === "") return undefined;
  try {
    const { incarnation, lanes } = decodePositionToken(id);
    const ours = lanes.filter(({ topic }) => topic === registrationUpdates.name);
    return new PositionVector(
      incarnation,
      ours.map(({ partition, sequence }) => [partition, Number(sequence)] as const),
    );
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    throw new ProblemError({
      status: 400,
      code: "last-event-id-invalid",
      detail: "Last-Event-ID takes the id of an update of this stream. Connect without one.",
    });
  }
}
