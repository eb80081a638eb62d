import type { FastifyBaseLogger } from "fastify";

import type { ApiOptions } from "../options.ts";
import type { FeedListener } from "./broadcast.ts";
import type { UpdateFeed } from "./feed.ts";
import { replay, replayStart } from "./replay.ts";
import { Resumption } from "./resumption.ts";
import { type Notice, type PositionVector, subjectOf, Update } from "./update.ts";

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
 * One listener of the feed. A resumed one first reads what it missed out of the log, and is told the
 * newest of each module when that module's window allows; until it has all that the others have,
 * its updates bear ids of its own.
 */
export class Subscription implements FeedListener, Disposable {
  readonly #given: SubscriptionOptions;
  readonly #leave: () => void;
  #resumption: Resumption | undefined;
  /** Ends a replay; most streams never have one. */
  #replaying: AbortController | undefined;
  #closed = false;

  constructor(given: SubscriptionOptions) {
    this.#given = given;
    const { feed, outlet, wish } = given;
    this.#resumption = wish.after && new Resumption(wish.after);
    this.#leave = feed.listen(this, wish.modules);
    if (wish.after === undefined) this.#check(outlet.hello(this.#others().token()));
  }

  /** Tells what was missed since the wish's position; returns when nothing is left to be read. */
  async catchUp(): Promise<void> {
    const { after } = this.#given.wish;
    const resumption = this.#resumption;
    if (after === undefined || resumption === undefined) return;
    this.#replaying = new AbortController();
    try {
      if (await this.#replay(after, resumption)) await this.#tellMissed(resumption);
    } catch (error) {
      if (this.#closed || this.#resumption !== resumption) return;
      this.#given.logger.warn({ err: error }, "a stream of updates could not be resumed");
      this.#close("failed", "what was missed can't be read now: connect again");
    }
  }

  /** True when everything that was missed is known. */
  async #replay(after: PositionVector, resumption: Resumption): Promise<boolean> {
    const { feed, limits, outlet } = this.#given;
    const { source } = feed;
    if (isAnotherLife(this.#others().incarnation, after.incarnation))
      return this.#lose(anotherLife);
    const signal = AbortSignal.any([this.#replaying?.signal ?? feed.signal, feed.signal]);
    const start = await replayStart(source, after, { ...limits, signal });
    if (start.outcome !== "found") return this.#lose(whyLost[start.outcome]);
    this.#check(outlet.hello(after.token()));
    for await (const notice of replay(source, start.from, signal)) {
      resumption.missed(notice, this.#wants(notice));
    }
    if (this.#resumption !== resumption) return false;
    if (isAnotherLife(this.#others().incarnation, resumption.incarnation)) {
      return this.#lose(anotherLife);
    }
    return true;
  }

  async #tellMissed(resumption: Resumption): Promise<void> {
    const { feed, outlet } = this.#given;
    for (const code of resumption.replayed()) {
      if (this.#resumption !== resumption || this.#closed) return;
      feed.tellLate(code, () => this.#late(code, resumption));
      await outlet.drained();
    }
    this.#endResumption();
  }

  /** The moment at which a module's missed state may be told. */
  #late(code: string, resumption: Resumption): void {
    if (this.#resumption !== resumption || this.#closed) return;
    const notice = resumption.take(code);
    if (notice !== undefined) this.#send(notice, resumption);
    this.#endResumption();
  }

  /** Goes on as if it were new, with a word that something may have been missed. */
  #lose(why: string): false {
    this.#resumption = undefined;
    this.#check(this.#given.outlet.reset(this.#others().token(), why));
    return false;
  }

  update(update: Update): void {
    if (this.#closed) return;
    const resumption = this.#resumption;
    if (resumption === undefined) this.#check(this.#given.outlet.update(update));
    else this.#updateResumed(update, resumption);
  }

  #updateResumed({ notice }: Update, resumption: Resumption): void {
    if (resumption.replaying) {
      resumption.keep(notice);
      this.#check(resumption.size <= this.#given.limits.replayMax);
      return;
    }
    if (isAnotherLife(notice.incarnation, resumption.incarnation)) {
      this.#lose(anotherLife);
      return;
    }
    if (resumption.isNews(notice)) this.#send(notice, resumption);
    this.#endResumption();
  }

  /** With the place of this listener, which no other has. */
  #send(notice: Notice, resumption: Resumption): void {
    const id = resumption.position(this.#others()).token();
    this.#check(this.#given.outlet.update(new Update(notice, id)));
  }

  #endResumption(): void {
    if (this.#resumption?.isOver(this.#others()) === true) this.#resumption = undefined;
  }

  reset(id: string): void {
    this.#resumption = undefined;
    this.#replaying?.abort();
    this.#check(this.#given.outlet.reset(id, "the feed has begun again"));
  }

  heartbeat(): void {
    this.#check(this.#given.outlet.heartbeat());
  }

  end(reason: string): void {
    this.#close("draining", reason);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#leave();
    this.#replaying?.abort();
  }

  /** Where those stand who follow the same modules and missed nothing. */
  #others(): PositionVector {
    return this.#given.feed.position(this.#given.wish.modules);
  }

  #wants(notice: Notice): boolean {
    const { modules } = this.#given.wish;
    return modules === undefined || modules.has(subjectOf(notice));
  }

  #check(keptUp: boolean): void {
    if (!keptUp) this.#close("slow-reader", "more bytes wait for this reader than may");
  }

  #close(code: Parameters<Outlet["end"]>[0], reason: string): void {
    if (this.#closed) return;
    this[Symbol.dispose]();
    this.#given.outlet.end(code, reason);
  }
}

const anotherLife = "the store has begun a new life since";

const whyLost = {
  lost: "updates that were missed are no longer kept",
  "too-many": "too many updates were missed",
} as const;

/** An empty incarnation stands for a log that had no updates yet: any life may follow. */
const isAnotherLife = (now: string, then: string): boolean =>
  now !== "" && then !== "" && now !== then;
