import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import type { FromWorker, ToWorker } from "./_worker-messages.ts";

const program = fileURLToPath(new URL("_worker.ts", import.meta.url));

/** Leases that a process lets go come to the next at its next look. */
const sharedOutWithinMs = 60_000;

export interface CatchUpByWorkers {
  readonly url: string;
  readonly workers: number;
  readonly partitions: number;
  /** In all partitions. */
  readonly events: number;
}

/**
 * Lets processes of their own catch up with the whole topic, each on its share of the partitions.
 * They have begun and have shared out the partitions when the clock starts; nothing is read before.
 */
export async function catchUpByWorkers(of: CatchUpByWorkers) {
  const { url, workers, partitions, events } = of;
  const args = ["--url", url, "--partitions", String(partitions)];
  const all = Array.from({ length: workers }, () => new Worker(fork(program, args)));
  try {
    const least = Math.floor(partitions / workers);
    const shared = (): boolean =>
      all.every(({ owned }) => owned.length >= least) &&
      all.reduce((sum, { owned }) => sum + owned.length, 0) === partitions;
    await until(all, shared, sharedOutWithinMs);
    const began = performance.now();
    for (const worker of all) worker.tell("open");
    await until(all, () => reached(all) >= events, Infinity);
    const seconds = (performance.now() - began) / 1_000;
    const used = await Promise.all(all.map((worker) => worker.stop()));
    return { seconds, processorUs: used.reduce((sum, one) => sum + one, 0) };
  } finally {
    for (const worker of all) worker.kill();
  }
}

/** Of each partition the most that one of them has reached: it may have had it before another. */
function reached(workers: readonly Worker[]): number {
  const most = new Map<number, number>();
  for (const { offsets } of workers) {
    for (const [partition, at] of offsets) {
      most.set(partition, Math.max(at, most.get(partition) ?? 0));
    }
  }
  return [...most.values()].reduce((sum, at) => sum + at, 0);
}

/** @throws Error when it doesn't come to hold in time, or a worker fails. */
async function until(
  workers: readonly Worker[],
  holds: () => boolean,
  withinMs: number,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    const failure = workers.find((worker) => worker.failure !== undefined)?.failure;
    if (failure !== undefined) throw new Error(failure);
    if (performance.now() > deadline) {
      const shares = workers.map(({ owned }) => owned.length).join(", ");
      throw new Error(`After ${withinMs} ms the workers have ${shares} partitions.`);
    }
    await wait(5);
  }
}

class Worker {
  offsets: readonly (readonly [number, number])[] = [];
  failure: string | undefined;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #usedUs = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, "exit").then(([code]) => {
      if (code !== 0) this.failure ??= `A worker ended with exit code ${String(code)}.`;
    });
    child.on("message", (message: FromWorker) => this.#take(message));
  }

  /** Partitions that it has. */
  get owned(): readonly number[] {
    return this.offsets.map(([partition]) => partition);
  }

  tell(message: ToWorker): void {
    this.#child.send(message);
  }

  /** Gives its processor time since the gate has opened, in microseconds. */
  async stop(): Promise<number> {
    this.tell("stop");
    await this.#exited;
    if (this.failure !== undefined) throw new Error(this.failure);
    return this.#usedUs;
  }

  kill(): void {
    if (this.#child.exitCode === null) this.#child.kill("SIGKILL");
  }

  #take(message: FromWorker): void {
    switch (message.kind) {
      case "at":
        this.offsets = message.offsets;
        return;
      case "halted":
        this.failure ??= message.reason;
        return;
      case "used":
        this.#usedUs = message.processorUs;
        return;
    }
  }
}
