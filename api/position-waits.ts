import { RecordError } from "../engine/errors.ts";
import type { Clock } from "../engine/ports/clock.ts";
import type { EventStore } from "../engine/ports/event-store.ts";
import type { ReadModelReader, ReadPosition } from "../engine/ports/read-model-reader.ts";
import { decodePositionToken } from "../engine/position-token.ts";
import type { Sequence } from "../engine/position.ts";
import type { ApiOptions } from "./options.ts";
import { ProblemError, retryAfter } from "./problem.ts";

/** A read model as a waiting query sees it: a projection's definition will do. */
export interface Awaited {
  readonly name: string;
  readonly from: { readonly name: string } | readonly { readonly name: string }[];
}

interface Lane {
  readonly topic: string;
  readonly partition: number;
  readonly sequence: Sequence;
}

interface Waiter {
  readonly lanes: readonly Lane[];
  readonly deadlineMs: number;
  readonly settle: (outcome: "reached" | "behind" | Error) => void;
}

export interface PositionWaitsOptions {
  readonly reader: Pick<ReadModelReader, "positions">;
  readonly eventStore: Pick<EventStore, "incarnation">;
  readonly clock: Clock;
  readonly options: Pick<ApiOptions, "waitForMs" | "waitingMax" | "waitPollMs">;
}

/**
 * Queries that wait until a read model has what a command wrote. Those that wait for one read model
 * share one poll of its positions.
 */
export class PositionWaits {
  readonly #given: PositionWaitsOptions;
  readonly #waiting = new Map<string, Set<Waiter>>();
  #count = 0;
  #incarnation: Promise<string> | undefined;

  constructor(given: PositionWaitsOptions) {
    this.#given = given;
  }

  /**
   * Resolves when the read model has every lane of the token that it reads.
   *
   * @throws ProblemError 400 `wait-for-invalid` for a token that this store didn't give; 503
   * `behind` when the time is up.
   */
  async until(readModel: Awaited, token: string | undefined): Promise<void> {
    if (token === undefined || token === "") return;
    const lanes = await this.#lanesOf(readModel, token);
    if (lanes.length === 0) return;
    if (reached(lanes, await this.#given.reader.positions(readModel.name))) return;
    if ((await this.#wait(readModel.name, lanes)) === "behind") throw behind(readModel.name);
  }

  async #lanesOf(readModel: Awaited, token: string): Promise<readonly Lane[]> {
    const { incarnation, lanes } = decoded(token);
    if (incarnation !== (await this.incarnation())) {
      throw invalid("It was given by another life of this store.");
    }
    const topics = new Set([readModel.from].flat().map(({ name }) => name));
    return lanes.filter(({ topic }) => topics.has(topic));
  }

  /** The store's incarnation, asked for once: it never changes while a process lives. */
  incarnation(): Promise<string> {
    this.#incarnation ??= this.#given.eventStore.incarnation().catch((error: unknown) => {
      this.#incarnation = undefined;
      throw error;
    });
    return this.#incarnation;
  }

  #wait(readModel: string, lanes: readonly Lane[]): Promise<"reached" | "behind"> {
    const { clock, options } = this.#given;
    if (this.#count >= options.waitingMax) return Promise.resolve("behind");
    const deadlineMs = clock.monotonicMs() + options.waitForMs;
    return new Promise((resolve, reject) => {
      const settle: Waiter["settle"] = (outcome) => {
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      this.#count += 1;
      const waiters = this.#waiting.get(readModel);
      if (waiters !== undefined) {
        waiters.add({ lanes, deadlineMs, settle });
        return;
      }
      this.#waiting.set(readModel, new Set([{ lanes, deadlineMs, settle }]));
      void this.#poll(readModel);
    });
  }

  /** Runs while somebody waits; whatever fails is given to those who wait. */
  async #poll(readModel: string): Promise<void> {
    const { clock, options, reader } = this.#given;
    for (;;) {
      const waiters = this.#waiting.get(readModel);
      if (waiters === undefined) return;
      await clock.sleep(options.waitPollMs);
      try {
        this.#settleReached(waiters, await reader.positions(readModel));
      } catch (error) {
        const cause = error instanceof Error ? error : new Error(String(error));
        this.#settle(waiters, [...waiters], cause);
      }
      if (waiters.size === 0) this.#waiting.delete(readModel);
    }
  }

  #settleReached(waiters: Set<Waiter>, positions: readonly ReadPosition[]): void {
    const nowMs = this.#given.clock.monotonicMs();
    const all = [...waiters];
    const there = all.filter(({ lanes }) => reached(lanes, positions));
    this.#settle(waiters, there, "reached");
    const late = all.filter((waiter) => waiters.has(waiter) && waiter.deadlineMs <= nowMs);
    this.#settle(waiters, late, "behind");
  }

  #settle(
    waiters: Set<Waiter>,
    some: readonly Waiter[],
    outcome: Parameters<Waiter["settle"]>[0],
  ): void {
    for (const waiter of some) {
      if (!waiters.delete(waiter)) continue;
      this.#count -= 1;
      waiter.settle(outcome);
    }
  }
}

/** A lane is reached when the next sequence that the read model expects lies behind it. */
function reached(lanes: readonly Lane[], positions: readonly ReadPosition[]): boolean {
  return lanes.every((lane) =>
    positions.some(
      ({ topic, partition, position }) =>
        topic === lane.topic &&
        partition === lane.partition &&
        position.source.kind === "lane" &&
        position.source.nextSequence > lane.sequence,
    ),
  );
}

function decoded(token: string): ReturnType<typeof decodePositionToken> {
  try {
    return decodePositionToken(token);
  } catch (error) {
    if (error instanceof RecordError) throw invalid(error.message);
    throw error;
  }
}

const invalid = (why: string): ProblemError =>
  new ProblemError({
    status: 400,
    code: "wait-for-invalid",
    detail: `Refold-Wait-For takes what a command gave as Refold-Position. ${why}`,
  });

const behind = (readModel: string): ProblemError =>
  new ProblemError({
    status: 503,
    code: "behind",
    detail: `${readModel} has not reached the position asked for. Try again in a moment.`,
    headers: retryAfter(1),
  });
