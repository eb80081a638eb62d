import { monitorEventLoopDelay } from "node:perf_hooks";

import type { Load } from "../../api/index.ts";
import type { Decider } from "../../engine/decision/decider.ts";

/** How often the event loop is looked at, and over how long its delay is averaged. */
const resolutionMs = 20;
const windowMs = 500;

const nanosecondsPerMs = 1e6;

/**
 * How far a process is behind: the mean delay of its event loop over the last half second, and the
 * commands that wait. A mean, because one long turn (a collection of garbage) is no overload.
 */
export class ProcessLoad implements Disposable {
  readonly #decider: Pick<Decider, "backlog">;
  readonly #histogram: ReturnType<typeof monitorEventLoopDelay>;
  readonly #timer: NodeJS.Timeout;
  #loopDelayMs = 0;

  constructor(decider: Pick<Decider, "backlog">) {
    this.#decider = decider;
    this.#histogram = monitorEventLoopDelay({ resolution: resolutionMs });
    this.#histogram.enable();
    this.#timer = setInterval(() => this.#sample(), windowMs);
    this.#timer.unref();
  }

  now(): Load {
    const { calls, oldestMs } = this.#decider.backlog();
    return { loopDelayMs: this.#loopDelayMs, backlogAgeMs: oldestMs, backlog: calls };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }

  /** What is measured includes the pause between two looks, which is no delay. */
  #sample(): void {
    const { count, mean } = this.#histogram;
    this.#loopDelayMs = count === 0 ? 0 : Math.max(0, mean / nanosecondsPerMs - resolutionMs);
    this.#histogram.reset();
  }
}
