import { InvariantViolation } from "../../../engine/errors.ts";
import type {
  Disposition,
  LetterAction,
  LetterEdit,
  LetterSource,
  StoredDeadLetter,
} from "../../../engine/ports/dead-letters.ts";
import { lsn, offset, sequence } from "../../../engine/position.ts";

/** A row of `refold.dead_letters`. */
export interface LetterRow {
  readonly id: bigint;
  readonly consumer: string;
  readonly generation: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly source_kind: string;
  readonly incarnation: string | null;
  readonly sequence: bigint | null;
  readonly change_lsn: bigint | null;
  readonly change_order: bigint | null;
  readonly timestamp_ms: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly header_names: string[];
  readonly header_values: (Buffer | null)[];
  readonly disposition: Disposition;
  readonly cause: string;
  readonly message: string;
  readonly stack: string | null;
  readonly first_at: Date;
  readonly last_at: Date;
  readonly attempts: number;
  readonly asked: LetterAction | null;
  readonly asked_reason: string | null;
  readonly asks: number;
  readonly settled_at: Date | null;
  readonly reason: string | null;
  readonly edited_value: Buffer | null;
  readonly edited_by: string | null;
  readonly edited_reason: string | null;
  readonly edited_at: Date | null;
}

export function storedLetter(row: LetterRow): StoredDeadLetter {
  const { id, consumer, generation, topic, partition, key, value, disposition } = row;
  const { cause, message, attempts, asks } = row;
  return {
    id,
    consumer,
    generation,
    topic,
    partition,
    key,
    value,
    disposition,
    cause,
    message,
    attempts,
    asks,
    offset: offset(row.offset),
    source: sourceOf(row),
    timestampMs: Number(row.timestamp_ms),
    headers: row.header_names.map((name, at) => ({ name, value: row.header_values[at] ?? null })),
    stack: row.stack ?? undefined,
    firstAt: row.first_at,
    lastAt: row.last_at,
    asked:
      row.asked === null ? undefined : { action: row.asked, reason: row.asked_reason ?? undefined },
    settledAt: row.settled_at ?? undefined,
    reason: row.reason ?? undefined,
    edit: editOf(row),
  };
}

function editOf(row: LetterRow): LetterEdit | undefined {
  const { edited_value: value, edited_by: by, edited_at: at } = row;
  if (value === null || at === null) return undefined;
  return { value, by: by ?? "", reason: row.edited_reason ?? undefined, at };
}

function sourceOf(row: LetterRow): LetterSource {
  switch (row.source_kind) {
    case "lane": {
      const { incarnation } = row;
      return {
        kind: "lane",
        incarnation: incarnation ?? "",
        sequence: sequence(row.sequence ?? 0),
      };
    }
    case "change": {
      const order = Number(row.change_order ?? 0);
      return { kind: "change", commitLsn: lsn(row.change_lsn ?? 0), order };
    }
    case "unknown":
      return { kind: "unknown" };
    default:
      throw new InvariantViolation(`A letter is stored with the source ${row.source_kind}.`);
  }
}
