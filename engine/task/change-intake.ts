import type { AnyRow } from "../columns.ts";
import { lsn } from "../position.ts";
import { FatalError, RecordError } from "../errors.ts";
import {
  type ChangeReader,
  type EventCodec,
  frameBytes,
  framedSchemaId,
  type RowChange,
} from "../ports/codec.ts";
import type { LetterSource } from "../ports/dead-letters.ts";
import type { RecordCursor } from "../record-batch/cursor.ts";
import type { ChangeTopic } from "../topic.ts";
import { isNewerChange } from "./coordinates.ts";
import { elsewhere, keyBy, originOf } from "./event-intake.ts";
import type { HotRows } from "./hot-rows.ts";
import type { Intake, IntakeNeeds, IntakeSource, Taken } from "./intake.ts";
import { checkKey } from "./row-check.ts";
import type { SourceOrigin } from "./source-origin.ts";
import type { Staged } from "./staged.ts";
import type { TaskPartition } from "./task-partition.ts";

export interface ChangeIntakeOptions<Handlers> {
  readonly codec: EventCodec;
  readonly topic: ChangeTopic;
  /** undefined: the change is left alone. */
  readonly key: (row: never) => string | undefined;
  readonly on: Handlers;
  readonly staged: Staged<Handlers>;
  readonly rows: HotRows;
  readonly needs: IntakeNeeds;
}

/** Takes row changes. What is staged as the event is the whole change. */
export class ChangeIntake<Handlers> implements Intake {
  readonly #options: ChangeIntakeOptions<Handlers>;
  readonly #reader: ChangeReader;
  #unknownId = 0;

  constructor(options: ChangeIntakeOptions<Handlers>) {
    this.#options = options;
    this.#reader = options.codec.changes(options.topic);
  }

  /** The coordinates of a change stand in its value: `take` compares them. */
  check(_cursor: RecordCursor, source: TaskPartition): "apply" | "duplicate" {
    source.staged.kind = "change";
    return "apply";
  }

  take(cursor: RecordCursor, source: IntakeSource): Taken {
    const { bytes, valueStart, valueEnd } = cursor;
    // The tombstone that follows a delete.
    if (valueStart < 0) return "passed";
    const id = framedSchemaId(bytes, valueStart, valueEnd);
    if (id === undefined) {
      throw new RecordError("unframed", "The change isn't in the Confluent wire format.");
    }
    const decoder = this.#reader.known(id);
    if (decoder === undefined) {
      this.#unknownId = id;
      return "learn";
    }
    const change = decoder.decode(bytes, valueStart + frameBytes, valueEnd);
    return this.#admit(cursor, source, change);
  }

  /** Of a change that can't be decoded nobody knows where it stands. */
  setAside(
    { bytes, valueStart, valueEnd }: RecordCursor,
    { staged }: IntakeSource,
  ): LetterSource | "duplicate" | "learn" {
    const id = valueStart < 0 ? undefined : framedSchemaId(bytes, valueStart, valueEnd);
    if (id === undefined) return { kind: "unknown" };
    const decoder = this.#reader.known(id);
    if (decoder === undefined) {
      this.#unknownId = id;
      return "learn";
    }
    let change: RowChange;
    try {
      change = decoder.decode(bytes, valueStart + frameBytes, valueEnd);
    } catch (error) {
      if (error instanceof RecordError) return { kind: "unknown" };
      throw error;
    }
    if (change.snapshot) return { kind: "unknown" };
    const { commitLsn, order } = change;
    if (!isNewerChange(staged, commitLsn, order)) return "duplicate";
    staged.commitLsn = commitLsn;
    staged.order = order;
    return { kind: "change", commitLsn: lsn(commitLsn), order };
  }

  async learn(): Promise<void> {
    await this.#reader.learn(this.#unknownId);
  }

  #admit(cursor: RecordCursor, source: IntakeSource, change: RowChange): Taken {
    const { staged } = source;
    // Snapshot rows have no place in the order of changes: the log's offset is all they have.
    if (!change.snapshot) {
      if (!isNewerChange(staged, change.commitLsn, change.order)) return "duplicate";
    }
    if (change.op === "t") throw truncated(source, this.#options.topic.table);
    const row = change.after ?? change.before;
    if (row === null) throw new RecordError("change-invalid", "The change carries no row at all.");
    const key = keyBy(this.#options.key, row);
    if (key !== undefined) this.#stage(cursor, source, { change, key });
    if (!change.snapshot) {
      staged.commitLsn = change.commitLsn;
      staged.order = change.order;
    }
    return key === undefined ? "passed" : "staged";
  }

  #stage(
    cursor: RecordCursor,
    source: IntakeSource,
    record: { change: RowChange; key: string },
  ): void {
    const { staged, rows, needs, on } = this.#options;
    const at = staged.length;
    const row = rows.of(record.key, source.partition);
    if (row.partition !== source.partition) throw elsewhere(record.key, row.partition, source);
    if (!row.loaded) {
      checkKey(record.key);
      staged.missing.push(row);
    }
    staged.events[at] = record.change;
    staged.rows[at] = row;
    staged.handlers[at] = on;
    staged.offsets[at] = cursor.offset;
    staged.sequences[at] = 0;
    staged.recordedAtMs[at] = record.change.sourceTimestampMs;
    if (at < needs.originsMax) {
      staged.origins[at] = changeOrigin(
        originOf(cursor, source),
        this.#options.topic,
        record.change,
      );
    }
    staged.length = at + 1;
  }
}

/**
 * A change begins a transaction of its own, named after its coordinates: the same change gives the
 * same name wherever in the log it stands. Snapshot rows have none, and are named by their place.
 */
function changeOrigin(at: SourceOrigin, topic: ChangeTopic, change: RowChange): SourceOrigin {
  if (change.snapshot) return at;
  const correlationId = `${topic.name}@${change.commitLsn}/${change.order}`;
  return { ...at, correlationId };
}

/** The row that a change is about, with what is left of it. */
export const rowOf = (change: RowChange): AnyRow => (change.after ?? change.before ?? {}) as AnyRow;

function truncated(source: IntakeSource, table: string): FatalError {
  return new FatalError(
    "table-truncated",
    `${source.name} says that ${table} was truncated, which tells nothing of the rows it had.`,
    "Delete rows instead of truncating; to go on, rebuild this definition from a new snapshot.",
  );
}
