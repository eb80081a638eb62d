import type { Clock, Random } from "../../engine/ports/clock.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type { AdmissionBounds } from "../options.ts";
import { type Problem, retryAfter } from "../problem.ts";
import { Bookings } from "./bookings.ts";
import {
  type ConcurrencyBounds,
  learnt,
  type Pace,
  paceAt,
  ratePerMs,
} from "./concurrency-limit.ts";
import type { Priority } from "./priority.ts";

export interface AdmissionOptions {
  readonly bounds: AdmissionBounds;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  /**
   * How long a request that the event loop has come to now may have waited for it, in milliseconds
   * (default: not at all).
   */
  readonly loopLagMs?: (() => number) | undefined;
}

const waits: Readonly<Record<Priority, (bounds: AdmissionBounds) => number>> = {
  read: (bounds) => bounds.readWaitMs,
  begin: (bounds) => bounds.beginWaitMs,
  finish: (bounds) => bounds.finishWaitMs,
};

/** Says who may come in, for each kind of request by a limit that follows what the server can do. */
export class Admission {
  readonly #lines: Readonly<Record<Priority, Line>>;

  constructor(options: AdmissionOptions) {
    const line = (priority: Priority): Line => new Line(priority, options);
    this.#lines = { read: line("read"), begin: line("begin"), finish: line("finish") };
  }

  lineOf(priority: Priority): Line {
    return this.#lines[priority];
  }
}

/** Between two looks of the metrics at a limit. */
const toldEveryMs = 500;

/** Requests of one kind that are under way, and how many there may be. */
export class Line {
  readonly #priority: Priority;
  readonly #options: AdmissionOptions;
  readonly #bounds: ConcurrencyBounds;
  readonly #bookings: Bookings;
  readonly #labels: { readonly priority: Priority };
  #pace: Pace;
  #underWay = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(priority: Priority, options: AdmissionOptions) {
    const { underWayMin, underWayFirst, underWayMax, awayMaxMs } = options.bounds;
    const waitMs = waits[priority](options.bounds);
    this.#priority = priority;
    this.#options = options;
    this.#bounds = { waitMs, atLeast: underWayMin, atMost: underWayMax };
    this.#bookings = new Bookings({ ...options, awayMaxMs });
    this.#labels = { priority };
    this.#pace = paceAt(underWayFirst);
  }

  /** Why nobody is taken now; undefined: there is room. */
  refusal(): Problem | undefined {
    const most = Math.floor(this.#pace.limit);
    if (this.#underWay < most) return undefined;
    this.#options.metrics.count("requests_refused_total", 1, this.#labels);
    const seconds = this.#bookings.seconds(ratePerMs(this.#pace));
    return {
      status: 503,
      code: "overloaded",
      detail:
        `The server is behind: ${this.#underWay} ${nouns[this.#priority]} are under way, and ` +
        `another would wait too long. Come again in ${seconds} s.`,
      headers: retryAfter(seconds),
    };
  }

  /** Takes a request in that has just arrived. */
  enter(): Place {
    const { clock, loopLagMs } = this.#options;
    this.#underWay += 1;
    return new Place({
      clock,
      underWay: this.#underWay,
      arrivedMs: clock.monotonicMs() - (loopLagMs?.() ?? 0),
      answered: (waitMs, met) => this.#learn(waitMs, met),
      left: () => void (this.#underWay -= 1),
    });
  }

  #learn(waitMs: number, met: number): void {
    const underWay = Math.max(met, this.#underWay);
    this.#pace = learnt(this.#pace, { underWay, waitMs }, this.#bounds);
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#toldMs < toldEveryMs) return;
    this.#toldMs = nowMs;
    this.#options.metrics.gauge("requests_limit", Math.floor(this.#pace.limit), this.#labels);
  }
}

const nouns: Readonly<Record<Priority, string>> = {
  read: "reads",
  begin: "new commands",
  finish: "commands",
};

interface PlaceOptions {
  readonly clock: Clock;
  /** How many there were with it when it came. */
  readonly underWay: number;
  readonly arrivedMs: number;
  readonly answered: (waitMs: number, underWay: number) => void;
  readonly left: () => void;
}

/** A request's place among those under way, from its arrival to its answer. */
export class Place {
  readonly #options: PlaceOptions;
  #asideMs = 0;
  #atWork = 0;
  #closed = false;

  constructor(options: PlaceOptions) {
    this.#options = options;
  }

  /** Waits for what isn't the server's own work, such as a slow password: that time doesn't count. */
  async aside<Result>(work: () => Promise<Result>): Promise<Result> {
    const { clock } = this.#options;
    const beganMs = clock.monotonicMs();
    try {
      return await work();
    } finally {
      this.#asideMs += clock.monotonicMs() - beganMs;
    }
  }

  /** Keeps the place while the work is under way, even when the client has gone meanwhile. */
  async keep<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#atWork += 1;
    try {
      return await work();
    } finally {
      this.#atWork -= 1;
      if (this.#closed && this.#atWork === 0) this.#options.left();
    }
  }

  /** Tells how long it took until now. */
  answered(): void {
    const { clock, arrivedMs, answered, underWay } = this.#options;
    answered(clock.monotonicMs() - arrivedMs - this.#asideMs, underWay);
  }

  /** The answer is sent, or the client gone. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#atWork === 0) this.#options.left();
  }
}
