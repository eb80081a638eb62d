import { setTimeout as delay } from "node:timers/promises";

import type { DiskRoom } from "../data-folder/disk-room.ts";
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from "./embedded-postgres.ts";
import { EmbeddedPostgresError } from "./errors.ts";
import { isAlive, type StopMode } from "./postmaster.ts";

export interface RestartLimits {
  /** Starts in a row that may fail, or be followed by another end before the server has settled. */
  readonly attemptsMax: number;
  /** A server that has run so long has settled: its end begins the count anew. */
  readonly settledMs: number;
  /** Wait before the second try; it doubles up to `waitMaxMs`. */
  readonly waitMs: number;
  readonly waitMaxMs: number;
  /** Time between two looks whether the server lives. */
  readonly lookEveryMs: number;
}

const defaultLimits: RestartLimits = {
  attemptsMax: 6,
  settledMs: 30_000,
  waitMs: 100,
  waitMaxMs: 5_000,
  lookEveryMs: 50,
};

export interface SupervisedPostgresOptions extends EmbeddedPostgresOptions {
  /** While the disk is full a start would fail: it is put off, and counts as no try. */
  readonly room: Pick<DiskRoom, "untilFree">;
  readonly report: (message: string) => void;
  readonly restarts?: Partial<RestartLimits>;
}

/**
 * An embedded server that is started again when it ends without being asked to (killed, out of
 * memory, no room for its log), on the same port: whoever is connected meets an outage that passes.
 * Tries are bounded; after the last one `failed` says why.
 */
export class SupervisedPostgres {
  /** Resolves when the server is given up: the process must end then, with this cause. */
  readonly failed: Promise<EmbeddedPostgresError>;
  readonly #options: SupervisedPostgresOptions;
  readonly #limits: RestartLimits;
  readonly #stop = new AbortController();
  #server: EmbeddedPostgres;
  #startedMs = performance.now();
  #attempts = 0;
  #watching: Promise<void> = Promise.resolve();
  #giveUp: (error: EmbeddedPostgresError) => void = () => undefined;

  private constructor(options: SupervisedPostgresOptions, server: EmbeddedPostgres) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.restarts };
    this.#server = server;
    this.failed = new Promise((resolve) => (this.#giveUp = resolve));
  }

  /** Starts the server and watches it. @throws EmbeddedPostgresError when the first start fails. */
  static async start(options: SupervisedPostgresOptions): Promise<SupervisedPostgres> {
    const supervised = new SupervisedPostgres(options, await startEmbeddedPostgres(options));
    supervised.#watching = supervised.#watch();
    return supervised;
  }

  /** Connection URL of the database `refold`; the same over all restarts. */
  get url(): string {
    return this.#server.url;
  }

  /** Process id of the postmaster of now. */
  get pid(): number {
    return this.#server.pid;
  }

  /** Ends the supervision, then the server. */
  async stop(mode?: StopMode): Promise<void> {
    this.#stop.abort();
    await this.#watching;
    await this.#server.stop(mode);
  }

  /** Cuts its power without waiting: for a process that ends at once. */
  abandon(): void {
    this.#stop.abort();
    this.#server.abandon();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (isAlive(this.#server.pid)) await this.#pause(this.#limits.lookEveryMs);
      else if (!(await this.#revive())) return;
    }
  }

  /** False when there is no server any more: it was given up, or the supervision has ended. */
  async #revive(): Promise<boolean> {
    const { settledMs, waitMs, waitMaxMs, attemptsMax } = this.#limits;
    const { report, room } = this.#options;
    const { signal } = this.#stop;
    if (performance.now() - this.#startedMs > settledMs) this.#attempts = 0;
    report(`The database's server (process ${this.#server.pid}) has ended: it is started again.`);
    while (!signal.aborted) {
      await room.untilFree(signal);
      if (signal.aborted) break;
      this.#attempts += 1;
      const error = await this.#start();
      if (error === undefined) return true;
      if (this.#attempts >= attemptsMax) {
        this.#giveUp(givenUp(this.#attempts, error));
        return false;
      }
      await this.#pause(Math.min(waitMaxMs, waitMs * 2 ** (this.#attempts - 1)));
    }
    return false;
  }

  async #start(): Promise<unknown> {
    if (this.#attempts > this.#limits.attemptsMax) return new Error("it ends again and again");
    try {
      const { port } = this.#server;
      // Data that have vanished are no reason to begin with none.
      const again = { ...this.#options, port, missing: "refuse" as const };
      this.#server = await startEmbeddedPostgres(again);
      this.#startedMs = performance.now();
      this.#options.report(`The database's server runs again (process ${this.#server.pid}).`);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stop;
    await delay(ms, undefined, { signal }).catch(() => undefined);
  }
}

function givenUp(attempts: number, cause: unknown): EmbeddedPostgresError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new EmbeddedPostgresError(
    `The database's server could not be kept running (${attempts} starts): ${why}`,
    { cause },
  );
}
