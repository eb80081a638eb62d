import { Client, type Pool } from "pg";
import { onTestFinished } from "vitest";

import { systemClock } from "../../bin/system-clock.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { headerOrder, type HeaderName } from "../../engine/envelope.ts";
import { RecordCursor } from "../../engine/record-batch/index.ts";
import {
  EmbeddedCapture,
  migrations as captureMigrations,
  PostgresCaptureSink,
  type CaptureOptions,
} from "../../connectors/capture/index.ts";
import { makePool, migrate, PostgresRecordLog } from "../../connectors/postgres/index.ts";
import { migrations as logMigrations } from "../../connectors/postgres/record-log/index.ts";
import { newDatabase } from "../support/database.ts";
import { decodeAvro } from "../parity/avro-decoder.ts";
import { ListedSchemas } from "./memory-registry.ts";

/** A record as it was read back from the log. */
export interface ReadRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Its header ce_sequence. */
  readonly sequence: string | undefined;
  /** The envelope's headers that it has. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The role's own schema would come first, and it has one: the engine's. */
export const onPublic = "-c search_path=public";

/** A database with the embedded log and captured tables of the test's own. */
export class CapturedDatabase {
  readonly url: string;
  readonly pool: Pool;
  readonly log: PostgresRecordLog;
  readonly registry = new ListedSchemas();

  constructor(url: string) {
    this.url = url;
    this.pool = makePool({ url, name: "test" });
    this.log = new PostgresRecordLog({ pool: this.pool });
  }

  static async make(): Promise<CapturedDatabase> {
    const made = await newDatabase();
    const database = new CapturedDatabase(made.url);
    onTestFinished(async () => {
      await database.log[Symbol.asyncDispose]();
      await database.pool.end();
      await made.drop();
    });
    await migrate(database.pool, [...logMigrations, ...captureMigrations]);
    return database;
  }

  async sql(...statements: readonly string[]): Promise<void> {
    const client = new Client({ connectionString: this.url, options: onPublic });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  }

  /** A capture of these tables, with a topic of one partition for each where not said otherwise. */
  async capture(
    tables: readonly string[],
    options: Partial<CaptureOptions> & { readonly partitions?: number } = {},
  ): Promise<EmbeddedCapture> {
    const { partitions = 1, ...rest } = options;
    const settings = this.#options(tables, partitions);
    for (const table of tables) {
      const name = `${rest.prefix ?? "refold"}.${table}`.replaceAll(/[^\w.]/g, "_");
      await this.log.ensureTopic({ name, partitions });
    }
    return new EmbeddedCapture({ ...settings, ...rest });
  }

  /** Waits until the server has noticed that nobody reads the slot any more. */
  async slotFree(timeoutMs = 10_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const { rows } = await this.pool.query<{ active: boolean }>(
        "select active from pg_replication_slots where slot_name = $1",
        [this.slot],
      );
      if (!rows[0]?.active) return;
      if (performance.now() > deadline) throw new Error(`Slot ${this.slot} is still read.`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Slots are the server's, so that each database names its own. */
  get slot(): string {
    return new URL(this.url).pathname.slice(1);
  }

  #options(tables: readonly string[], partitions: number): CaptureOptions {
    const { url, pool, registry, slot } = this;
    const sink = new PostgresCaptureSink({ pool, slot });
    return {
      url,
      registry,
      slot,
      sink,
      metrics: noMetrics,
      clock: systemClock,
      random: new SeededRandom(),
      outboxTables: [],
      tables: tables.map((name) => ({ name, partitions })),
    };
  }

  /** All records of all topics, by partition in order of offset. */
  async records(): Promise<ReadRecord[]> {
    const read: ReadRecord[][] = [];
    for (const { name } of await this.log.topics()) read.push(await this.#topic(name));
    return read.flat();
  }

  async #topic(topic: string): Promise<ReadRecord[]> {
    const bounds = await this.log.bounds(topic);
    const from = new Map(bounds.map(({ partition, start }) => [partition, start]));
    const signal = new AbortController().signal;
    const cursor = new RecordCursor();
    const read: ReadRecord[] = [];
    for await (const fetch of this.log.read({ topic, from, until: "end", signal })) {
      for (const { partition, bytes } of fetch.partitions) {
        cursor.reset(bytes, 0);
        while (cursor.next()) read.push({ topic, partition, ...copyRecord(cursor) });
      }
    }
    return read.sort((one, other) => one.partition - other.partition || one.offset - other.offset);
  }

  /** Waits until the log has that many records, and gives them. */
  async untilRecords(count: number, timeoutMs = 20_000): Promise<ReadRecord[]> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const { rows } = await this.pool.query<{ n: bigint | null }>(
        "select sum(end_offset)::int8 as n from refold.log_partitions",
      );
      if (Number(rows[0]?.n ?? 0) >= count) return this.records();
      if (performance.now() > deadline) {
        const found = await this.records();
        throw new Error(
          `The log has ${found.length} records, not ${count}, after ${timeoutMs} ms.`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Decodes a framed value by the schema that was registered for it. */
  decode(bytes: Buffer | null): unknown {
    if (!bytes) return null;
    const id = bytes.readUInt32BE(1);
    const schema = this.registry.schemas.find((one) => one.id === id)?.schema;
    if (!schema) throw new Error(`No schema ${id}.`);
    return decodeAvro(schema, bytes.subarray(5));
  }
}

function copyRecord(cursor: RecordCursor): Omit<ReadRecord, "topic" | "partition"> {
  const slice = (start: number, end: number): Buffer | null =>
    start < 0 ? null : Buffer.from(cursor.bytes.subarray(start, end));
  return {
    offset: cursor.offset,
    timestampMs: cursor.timestampMs,
    key: slice(cursor.keyStart, cursor.keyEnd),
    value: slice(cursor.valueStart, cursor.valueEnd),
    sequence: cursor.headerText("ce_sequence"),
    headers: copyHeaders(cursor),
  };
}

function copyHeaders(cursor: RecordCursor): Record<string, string> {
  const told = headerOrder.map((name) => [name, cursor.headerText(name)] as const);
  return Object.fromEntries(told.filter((entry): entry is [HeaderName, string] => !!entry[1]));
}
