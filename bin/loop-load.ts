import { type EventLoopUtilization, performance } from "node:perf_hooks";

import type { Load } from "../engine/ports/load.ts";

/** Looked at no more often. What is told is of the time between the last two looks. */
const windowMs = 250;

/** The share of its time in which the event loop of this process wasn't waiting for anything. */
export class LoopLoad implements Load {
  #busy = 0;
  #seen: EventLoopUtilization = performance.eventLoopUtilization();
  #seenMs = performance.now();

  busy(): number {
    const nowMs = performance.now();
    if (nowMs - this.#seenMs >= windowMs) {
      const now = performance.eventLoopUtilization();
      this.#busy = performance.eventLoopUtilization(now, this.#seen).utilization;
      this.#seen = now;
      this.#seenMs = nowMs;
    }
    return this.#busy;
  }
}
