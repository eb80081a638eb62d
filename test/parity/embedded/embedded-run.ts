import { setTimeout as delay } from "node:timers/promises";

import { systemClock, SystemRandom } from "../../../bin/system-clock.ts";
import { captureConfigOf } from "../../../connectors/capture/debezium-config/index.ts";
import { EmbeddedCapture } from "../../../connectors/capture/index.ts";
import { RefoldError } from "../../../engine/errors.ts";

import { noMetrics } from "../../../engine/ports/metrics.ts";
import type { RegisteredSchema } from "../../../engine/ports/schema-registry.ts";
import { ListedSchemas } from "../../capture/memory-registry.ts";
import { isSent, walEnd } from "../database.ts";
import type { SentRecord } from "../decode.ts";
import { isHeartbeat } from "../heartbeats.ts";
import type { Scenario, SqlError } from "../scenario.ts";
import { runStatements } from "../statements.ts";
import { MemorySink } from "./memory-sink.ts";

/** What came of a scenario under the embedded capture. */
export interface EmbeddedRun {
  readonly records: readonly SentRecord[];
  readonly schemas: readonly RegisteredSchema[];
  readonly sqlErrors: readonly SqlError[];
  readonly failure?: Halt;
}

/** The capture's refusal, at the start or on the way. */
export interface Halt {
  readonly code: string;
  readonly message: string;
}

export interface EmbeddedRunOptions {
  readonly scenario: Scenario;
  /** The scenario's database, with its tables. */
  readonly url: string;
  /** Without progress for so long, what is missing is taken as missing for good. */
  readonly patienceMs: number;
}

/** For records that come although nothing more is expected. */
const surplusMs = 60;

const pollMs = 5;

/** Between statements, where tables change: without a record for so long, and at most so long. */
const settleMs = { quiet: 30, most: 2_000 };

/** Runs a scenario's statements while the embedded capture reads its database. */
export async function runEmbedded(options: EmbeddedRunOptions): Promise<EmbeddedRun> {
  await using embedded = new Embedded(options);
  let sqlErrors: readonly SqlError[] = [];
  try {
    await embedded.resume();
    sqlErrors = await runStatements({
      url: options.url,
      groups: options.scenario.dml,
      settled: async () => {
        if (changesTables(options.scenario)) await embedded.untilSettled();
      },
      interventions: embedded,
    });
    await embedded.untilDone();
  } catch (error) {
    return embedded.ended(sqlErrors, error);
  }
  return embedded.ended(sqlErrors);
}

/** The capture looks at the catalogue a moment after a change of it, as the connector does. */
function changesTables({ dml }: Scenario): boolean {
  return dml.flat().some((statement) => /^\s*(alter|create|drop)\b/i.test(statement));
}

/** The captures of one run: a new one after each stop, on the position of the one before. */
class Embedded implements AsyncDisposable {
  readonly #options: EmbeddedRunOptions;
  readonly #sink = new MemorySink();
  readonly #schemas = new ListedSchemas();
  #capture: EmbeddedCapture | undefined;

  constructor(options: EmbeddedRunOptions) {
    this.#options = options;
  }

  async resume(): Promise<void> {
    const { scenario, url } = this.#options;
    const sink = this.#sink;
    this.#capture = new EmbeddedCapture({
      ...captureConfigOf(scenario.config),
      url,
      sink,
      registry: this.#schemas,
      metrics: noMetrics,
      clock: systemClock,
      random: new SystemRandom(),
      version: scenario.recordedWith?.["debezium"] ?? "3.6.3.Final",
      onRecord: (topic, _, record) => sink.announce(topic, record),
    });
    await this.#capture.start(new AbortController().signal);
  }

  async stop(): Promise<void> {
    await this.#capture?.[Symbol.asyncDispose]();
    this.#capture = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Until all expected records are there and all WAL is read, or nothing moves any more. */
  async untilDone(): Promise<void> {
    const { scenario, url, patienceMs } = this.#options;
    const slot = this.#slot;
    const end = await walEnd(url);
    const expected = (scenario.events ?? []).filter((event) => !isHeartbeat(event, scenario));
    let moved = performance.now();
    let last = -1;
    for (;;) {
      await this.#assertAlive();
      const count = this.#count();
      if (count !== last) moved = performance.now();
      last = count;
      const quietMs = performance.now() - moved;
      if (quietMs > patienceMs) return;
      if (count >= expected.length && quietMs > surplusMs && (await isSent(url, slot, end))) return;
      await delay(pollMs);
    }
  }

  /** Until what is in the WAL has been sent and looked at, or the capture takes nothing. */
  async untilSettled(): Promise<void> {
    if (this.#capture === undefined) return;
    const { url } = this.#options;
    const end = await walEnd(url);
    const begun = performance.now();
    let moved = begun;
    let last = this.#count();
    while (performance.now() - begun < settleMs.most) {
      const count = this.#count();
      if (count !== last) moved = performance.now();
      last = count;
      const isQuiet = performance.now() - moved > settleMs.quiet;
      if (isQuiet && (await isSent(url, this.#slot, end))) return;
      await delay(pollMs);
    }
  }

  get #slot(): string {
    const { scenario } = this.#options;
    return scenario.config["slot.name"] ?? scenario.name;
  }

  ended(sqlErrors: readonly SqlError[], error?: unknown): EmbeddedRun {
    const { records } = this.#sink;
    const run = { records, schemas: this.#schemas.schemas, sqlErrors };
    return error === undefined ? run : { ...run, failure: haltOf(error) };
  }

  #count(): number {
    const { scenario } = this.#options;
    return this.#sink.topics.filter((topic) => !isHeartbeat({ topic }, scenario)).length;
  }

  /** Throws the capture's error when it has halted. */
  async #assertAlive(): Promise<void> {
    await Promise.race([this.#capture?.done, delay(0)]);
  }
}

function haltOf(error: unknown): Halt {
  if (error instanceof RefoldError) return { code: error.code, message: error.message };
  return { code: "unexpected", message: String(error) };
}
