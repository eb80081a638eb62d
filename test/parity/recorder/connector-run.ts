import { setTimeout as delay } from "node:timers/promises";

import { ask, isSent, walEnd } from "../database.ts";
import type { SentRecord } from "../decode.ts";
import type { Scenario, SqlError } from "../scenario.ts";
import { runStatements } from "../statements.ts";
import { until } from "../until.ts";
import { ConnectError, type ConnectClient } from "./connect-client.ts";
import { readRecordingLines } from "./recording-lines.ts";

export interface ConnectorRunOptions {
  readonly connect: ConnectClient;
  /** Never used before, since Connect keeps the offsets of a name. */
  readonly name: string;
  readonly databaseUrl: string;
  readonly slot: string;
  readonly recordingPath: string;
}

/** What came of a run. */
export interface EndedRun {
  readonly records: readonly SentRecord[];
  readonly sqlErrors: readonly SqlError[];
  /** Why the connector stopped by itself. */
  readonly failure?: string;
  readonly complete: boolean;
}

const startTimeoutMs = 60_000;
const sentTimeoutMs = 20_000;
/** Without a new record for so long, everything that was read is sent. */
const quietMs = 1_200;
/** Where records never end (heartbeats), so much is waited after the last change. */
const heartbeatsMs = 2_000;
const endTimeoutMs = 40_000;
/** Between groups, so that the connector looks at the catalogue before it changes again. */
const pauseMs = 60;

/** One connector at work on a scenario's database. */
export class ConnectorRun {
  readonly #options: ConnectorRunOptions;

  constructor(options: ConnectorRunOptions) {
    this.#options = options;
  }

  async run(scenario: Scenario, config: Readonly<Record<string, string>>): Promise<EndedRun> {
    const { connect, name, databaseUrl, recordingPath } = this.#options;
    await connect.create(name, config);
    await this.#untilStreaming();
    const sqlErrors = await runStatements({
      url: databaseUrl,
      groups: scenario.dml,
      settled: () => delay(pauseMs),
      interventions: { stop: () => this.#stop(), resume: () => this.#resume() },
    });
    const complete = await this.#untilQuiet(config);
    const failure = await this.#failure();
    const records = await readRecordingLines(recordingPath);
    return {
      records,
      sqlErrors,
      ...(failure === undefined ? {} : { failure }),
      complete: complete && failure === undefined,
    };
  }

  async remove(): Promise<void> {
    await this.#options.connect.delete(this.#options.name).catch(() => undefined);
    await until(() => this.#isGone(), {
      timeoutMs: startTimeoutMs,
      otherwise: () => `Connector ${this.#options.name} is still there`,
    });
  }

  async #isGone(): Promise<boolean> {
    try {
      await this.#options.connect.status(this.#options.name);
      return false;
    } catch (error) {
      return error instanceof ConnectError && error.status === 404;
    }
  }

  /** Until the slot's reader streams; a connector that only makes a snapshot never does. */
  async #untilStreaming(): Promise<void> {
    const { databaseUrl, slot, name } = this.#options;
    let quiet = new Quiet(3 * quietMs);
    await until(
      async () => {
        if (await isSent(databaseUrl, slot, "0/0")) return true;
        if ((await this.#failure()) !== undefined) return true;
        const count = await this.#recordCount();
        if (count === 0) quiet = new Quiet(3 * quietMs);
        return quiet.isReached(count);
      },
      { timeoutMs: startTimeoutMs, otherwise: () => `Connector ${name} doesn't stream` },
    );
  }

  /** @returns Whether everything that was written to the WAL was sent to the connector. */
  async #untilQuiet(config: Readonly<Record<string, string>>): Promise<boolean> {
    // Such a connector reads no WAL.
    const sent = config["snapshot.mode"] === "initial_only" || (await this.#untilSent());
    if ("heartbeat.interval.ms" in config) {
      await delay(heartbeatsMs);
      return sent;
    }
    const quiet = new Quiet(quietMs);
    await until(async () => quiet.isReached(await this.#recordCount()), {
      timeoutMs: endTimeoutMs,
      otherwise: () => `Connector ${this.#options.name} is never quiet`,
    });
    return sent;
  }

  async #untilSent(): Promise<boolean> {
    const { databaseUrl, slot } = this.#options;
    const end = await walEnd(databaseUrl);
    const deadline = performance.now() + sentTimeoutMs;
    while (performance.now() < deadline) {
      if (await isSent(databaseUrl, slot, end)) return true;
      if ((await this.#failure()) !== undefined) return false;
      await delay(50);
    }
    return false;
  }

  async #recordCount(): Promise<number> {
    return (await readRecordingLines(this.#options.recordingPath)).length;
  }

  async #failure(): Promise<string | undefined> {
    const status = await this.#options.connect.status(this.#options.name).catch(() => undefined);
    return status?.failure;
  }

  async #stop(): Promise<void> {
    const { connect, name, databaseUrl, slot } = this.#options;
    await connect.stop(name);
    const isStopped = async (): Promise<boolean> => {
      const { state, tasks } = await connect.status(name);
      const active = await ask(
        databaseUrl,
        "select active from pg_replication_slots where slot_name = $1",
        [slot],
      );
      return state === "STOPPED" && tasks.length === 0 && active === false;
    };
    await until(isStopped, {
      timeoutMs: startTimeoutMs,
      otherwise: () => `Connector ${name} doesn't stop`,
    });
  }

  async #resume(): Promise<void> {
    await this.#options.connect.resume(this.#options.name);
    await this.#untilStreaming();
  }
}

/** Tells when a count has stayed the same for a time. */
class Quiet {
  readonly #timeMs: number;
  #count = -1;
  #since = 0;

  constructor(timeMs: number) {
    this.#timeMs = timeMs;
  }

  isReached(count: number): boolean {
    const now = performance.now();
    if (count !== this.#count) this.#since = now;
    this.#count = count;
    return now - this.#since > this.#timeMs;
  }
}
