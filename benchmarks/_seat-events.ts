import type { AnyRow } from "../engine/columns.ts";
import { partitionOf } from "../engine/partitioner.ts";
import type { EventCodec } from "../engine/ports/codec.ts";
import type { PartitionAppend, RecordToAppend } from "../engine/ports/record-log.ts";
import type { AnyEventType, EventTopic } from "../engine/topic.ts";
import {
  ModuleOffered,
  ModuleRegistered,
  RegistrationCancelled,
  RegistrationCompleted,
} from "../schemas/index.ts";
import { moduleEvents } from "../schemas/topics.ts";
import { LaneRecords } from "./_lane-records.ts";

export const topic: EventTopic = moduleEvents;
export const keys = 2_000;

export interface SeatEventsOptions {
  /** Modules that the events are spread over. */
  readonly keys?: number;
  /** The one of the application, or that with another number of partitions. */
  readonly topic?: EventTopic;
}

interface Held extends AnyRow {
  readonly capacity: number;
  readonly held: number;
  readonly confirmed: number;
}

/**
 * Seat events of 2,000 modules, or as many as are asked for, in ten partitions, with the envelope that the capture writes, and
 * the rows that they must lead to: counted here by hand, without the engine.
 */
export class SeatEvents {
  readonly expected = new Map<string, Held>();
  made = 0;
  readonly #codec: EventCodec;
  readonly #lanes: LaneRecords;

  /** Which the events are made for. */
  readonly topic: EventTopic;
  readonly #keys: number;

  constructor(codec: EventCodec, options: SeatEventsOptions = {}) {
    this.#codec = codec;
    this.topic = options.topic ?? topic;
    this.#keys = options.keys ?? keys;
    this.#lanes = new LaneRecords(this.topic.partitions);
  }

  /** The next events, by partition. */
  take(count: number): PartitionAppend[] {
    const { topic } = this;
    const records: RecordToAppend[][] = Array.from({ length: topic.partitions }, () => []);
    for (let index = 0; index < count; index += 1) {
      const code = `MOD-${this.made % this.#keys}`;
      const partition = partitionOf(code, topic.partitions);
      records[partition]?.push(this.#record(code, partition));
      this.made += 1;
    }
    return records.map((of, partition) => ({ topic: topic.name, partition, records: of }));
  }

  #record(moduleCode: string, partition: number): RecordToAppend {
    const [type, event] = this.#next(moduleCode);
    const value = this.#codec.encode(this.topic, type, event);
    return this.#lanes.next(partition, moduleCode, value);
  }

  /** Offered, then rounds of: held, completed, held, cancelled. */
  #next(moduleCode: string): [AnyEventType, unknown] {
    const row = this.expected.get(moduleCode);
    if (!row) {
      this.#becomes(moduleCode, { capacity: 100_000, held: 0, confirmed: 0 });
      const offered = { moduleCode, title: `Module ${moduleCode}`, capacity: 100_000, feeCents: 0 };
      return [ModuleOffered, { ...offered, opensAt: null, closesAt: null }];
    }
    const turn = Math.floor(this.made / this.#keys - 1) % 4;
    const ids = { registrationId: `0190d6a1-${this.made}`, moduleCode, studentId: `S${this.made}` };
    if (turn === 1) {
      this.#becomes(moduleCode, { ...row, held: row.held - 1, confirmed: row.confirmed + 1 });
      return [RegistrationCompleted, ids];
    }
    if (turn === 3) {
      this.#becomes(moduleCode, { ...row, held: row.held - 1 });
      return [RegistrationCancelled, { ...ids, reason: "WITHDRAWN" }];
    }
    this.#becomes(moduleCode, { ...row, held: row.held + 1 });
    return [ModuleRegistered, { ...ids, feeCents: 0, enrolmentId: null, holdExpiresAt: null }];
  }

  #becomes(code: string, row: Held): void {
    this.expected.set(code, row);
  }
}

/** @throws Error naming the first row that isn't as it must be. */
export function assertRows(
  actual: ReadonlyMap<string, AnyRow>,
  expected: ReadonlyMap<string, Held>,
): void {
  if (actual.size !== expected.size) {
    throw new Error(`${actual.size} rows instead of ${expected.size}.`);
  }
  for (const [key, want] of expected) assertRow(key, actual.get(key), want);
}

/** @throws Error when the row isn't as it must be. */
export function assertRow(key: string, row: AnyRow | undefined, want: Held | undefined): void {
  for (const name of ["capacity", "held", "confirmed"] as const) {
    if (row?.[name] === undefined || row[name] !== want?.[name]) {
      const instead = String(want?.[name]);
      throw new Error(`${key}: ${name} is ${String(row?.[name])} instead of ${instead}.`);
    }
  }
}
