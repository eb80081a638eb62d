import { systemClock } from "../../bin/system-clock.ts";
import {
  type EmbeddedCapture,
  LogCaptureSink,
  PostgresCaptureSink,
  type CaptureOptions,
} from "../../connectors/capture/index.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import { RecordCursor } from "../../engine/record-batch/index.ts";
import { fromStart } from "../record-log/records.ts";
import { CapturedDatabase } from "./captured-database.ts";
import { createOutbox, insertOutbox } from "./outbox-table.ts";

export const outboxTables = ["public.outbox"];
const table = "public.rooms";
const tableTopic = `refold.${table}`;

interface Told {
  readonly op: string;
  readonly before: { readonly code: string } | null;
  readonly after: { readonly code: string; readonly seats: number } | null;
}

export const event = (sequence: number): string =>
  insertOutbox({ position: sequence, topic: "events", partition: 0, sequence });

/** A capture of one table and an outbox into a log that is not in their database. */
export class LogOutside {
  readonly database: CapturedDatabase;
  readonly log = new MemoryRecordLog({ batchRecordsMax: 3 });

  private constructor(database: CapturedDatabase) {
    this.database = database;
  }

  static async make(): Promise<LogOutside> {
    const outside = new LogOutside(await CapturedDatabase.make());
    await outside.database.sql(
      createOutbox,
      "create table rooms (code text primary key, seats int not null)",
      "insert into rooms values ('A', 1), ('B', 2)",
    );
    for (const name of ["events", tableTopic]) {
      await outside.log.ensureTopic({ name, partitions: 1 });
    }
    return outside;
  }

  options(log: RecordLog = this.log): CaptureOptions & { readonly slot: string } {
    const { url, pool, registry, slot } = this.database;
    return {
      url,
      registry,
      slot,
      sink: new LogCaptureSink({ log, positions: new PostgresCaptureSink({ pool, slot }) }),
      metrics: noMetrics,
      clock: systemClock,
      random: new SeededRandom(),
      outboxTables,
      tables: [{ name: table, partitions: 1 }],
      limits: { slotWaitMs: 2_000, snapshotRowsMax: 2 },
    };
  }

  capture(): Promise<EmbeddedCapture> {
    return this.database.capture([table], this.options());
  }

  async whileCapturing(work: () => Promise<void>): Promise<void> {
    await using capture = await this.capture();
    await capture.start(new AbortController().signal);
    await work();
    await capture[Symbol.asyncDispose]();
    await this.database.slotFree();
  }

  async sequences(): Promise<number[]> {
    const sequences: number[] = [];
    await this.#each("events", (cursor) => sequences.push(cursor.headerNumber("ce_sequence")));
    return sequences;
  }

  /** The rows that a reader of the topic comes to. */
  async rows(): Promise<Record<string, number>> {
    const rows = new Map<string, number>();
    await this.#each(tableTopic, ({ bytes, valueStart, valueEnd }) => {
      if (valueStart < 0) return;
      const value = Buffer.from(bytes.subarray(valueStart, valueEnd));
      const told = this.database.decode(value) as Told;
      if (told.after) rows.set(told.after.code, told.after.seats);
      else if (told.before) rows.delete(told.before.code);
    });
    return Object.fromEntries([...rows].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  async #each(topic: string, take: (cursor: RecordCursor) => unknown): Promise<void> {
    const cursor = new RecordCursor({ verify: "checksum" });
    const signal = AbortSignal.timeout(5_000);
    const from = fromStart(0);
    for await (const fetch of this.log.read({ topic, from, until: "end", signal })) {
      for (const { bytes } of fetch.partitions) {
        cursor.reset(bytes, 0);
        while (cursor.next()) take(cursor);
      }
    }
  }
}
