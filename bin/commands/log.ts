import { once } from "node:events";

import { Command } from "commander";

import type { RecordLog, TopicInfo } from "../../engine/ports/record-log.ts";
import type { SchemaRegistry } from "../../engine/ports/schema-registry.ts";
import type { PlaceOptions } from "../environment.ts";
import { exitCodes } from "../exit-codes.ts";
import { PayloadDecoder } from "../log/payload.ts";
import { readDecoded } from "../log/read.ts";
import { recordJson, recordText } from "../log/record-text.ts";
import { startOffsets, topicNamed } from "../log/start.ts";
import { commandOnDatabase, wholeNumber } from "../program.ts";
import { StopSignals } from "../stop-signals.ts";
import { table } from "../table.ts";

export interface LogConnection extends AsyncDisposable {
  readonly log: RecordLog;
  readonly registry: SchemaRegistry;
}

export type ConnectLog = (options: PlaceOptions) => Promise<LogConnection>;

interface TopicsOptions extends PlaceOptions {
  readonly json?: true;
}

interface ReadCommandOptions extends PlaceOptions {
  readonly partition?: number;
  readonly from: string;
  readonly key?: string;
  readonly limit?: number;
  readonly json?: true;
  readonly follow?: true;
}

/** `refold log topics` and `refold log read`. */
export function logCommand(
  connect: ConnectLog,
  output: NodeJS.WritableStream = process.stdout,
): Command {
  return new Command("log")
    .description("what the record log holds")
    .addCommand(topicsCommand(connect, output))
    .addCommand(readCommand(connect, output));
}

function topicsCommand(connect: ConnectLog, output: NodeJS.WritableStream): Command {
  return commandOnDatabase("topics")
    .description("the topics, with their partitions, records and retention")
    .option("--json", "as JSON")
    .action(async (options: TopicsOptions) => {
      await using connection = await connect(options);
      const summaries: TopicSummary[] = [];
      for (const topic of await connection.log.topics()) {
        summaries.push(await summaryOf(connection.log, topic));
      }
      await write(output, options.json ? JSON.stringify(summaries, undefined, 2) : text(summaries));
    });
}

function readCommand(connect: ConnectLog, output: NodeJS.WritableStream): Command {
  return commandOnDatabase("read")
    .description("decoded records with their envelope; in order within each partition")
    .argument("<topic>")
    .option("--partition <number>", "only this partition", wholeNumber(0, 9_999))
    .option("--from <place>", "earliest, latest, an offset, or a time (UTC)", "earliest")
    .option("--key <key>", "only records of this key")
    .option("--limit <number>", "at most so many records", wholeNumber(1, 1e9))
    .option("--json", "each record as one line of JSON")
    .option("--follow", "go on with what is appended, until Ctrl-C")
    .action(async (topic: string, options: ReadCommandOptions) => {
      await using connection = await connect(options);
      await read(connection, output, { ...options, topic });
    });
}

async function read(
  { log, registry }: LogConnection,
  output: NodeJS.WritableStream,
  options: ReadCommandOptions & { readonly topic: string },
): Promise<void> {
  const topic = await topicNamed(log, options.topic);
  const place = { topic, partition: options.partition, from: options.from };
  const from = await startOffsets(log, place);
  using signals = new StopSignals(() => process.exit(exitCodes.interrupted));
  using pipe = new OpenPipe(output);
  const records = readDecoded(log, new PayloadDecoder(registry), {
    topic: topic.name,
    from,
    until: options.follow ? "forever" : "end",
    key: options.key,
    signal: AbortSignal.any([signals.stop, pipe.closed]),
  });
  let left = options.limit ?? Infinity;
  for await (const record of records) {
    await write(output, options.json ? recordJson(record) : recordText(record));
    left -= 1;
    if (left === 0 || pipe.closed.aborted) return;
  }
}

/** The reader of our output may go (`| head`): that ends the reading, and is no error. */
class OpenPipe implements Disposable {
  readonly #closed = new AbortController();
  readonly #output: NodeJS.WritableStream;

  constructor(output: NodeJS.WritableStream) {
    this.#output = output;
    output.on("error", this.#failed);
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  readonly #failed = (error: NodeJS.ErrnoException): void => {
    if (error.code !== "EPIPE") throw error;
    this.#closed.abort();
  };

  [Symbol.dispose](): void {
    this.#output.off("error", this.#failed);
  }
}

async function write(output: NodeJS.WritableStream, line: string): Promise<void> {
  // A pipe that is gone never drains: its error ends the wait.
  if (!output.write(`${line}\n`)) await once(output, "drain").catch(() => undefined);
}

interface TopicSummary {
  readonly name: string;
  readonly partitions: number;
  readonly records: number;
  readonly lastRecordAt: string | null;
  readonly retentionMs: number | null;
}

async function summaryOf(log: RecordLog, topic: TopicInfo): Promise<TopicSummary> {
  const { name, partitions, retentionMs = null } = topic;
  const bounds = await log.bounds(name);
  const records = bounds.reduce((sum, { start, end }) => sum + Number(end - start), 0);
  const last = Math.max(...bounds.map((one) => one.lastTimestampMs ?? -Infinity));
  const lastRecordAt = Number.isFinite(last) ? new Date(last).toISOString() : null;
  return { name, partitions, records, lastRecordAt, retentionMs };
}

function text(summaries: readonly TopicSummary[]): string {
  if (summaries.length === 0) return "The log has no topics yet.";
  const rows = summaries.map(({ name, partitions, records, lastRecordAt, retentionMs }) => [
    name,
    String(partitions),
    String(records),
    lastRecordAt ?? "-",
    retentionMs === null ? "for ever" : duration(retentionMs),
  ]);
  return table(["topic", "partitions", "records", "last record", "kept"], rows);
}

function duration(ms: number): string {
  const hours = ms / 3_600_000;
  return Number.isInteger(hours) ? `${hours} h` : `${ms / 1_000} s`;
}
