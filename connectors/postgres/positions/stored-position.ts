import { InvariantViolation } from "../../../engine/errors.ts";
import {
  epoch,
  lsn,
  offset,
  sequence,
  type Position,
  type SourcePosition,
} from "../../../engine/position.ts";
import type { OwnedPartition } from "../../../engine/ports/read-model-store.ts";
import type { ReadPosition } from "../../../engine/ports/read-model-reader.ts";

type Whole = bigint | string;

/** A row of `refold.positions`; whole numbers are texts where they came as JSON. */
export interface PositionRow {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: Whole;
  readonly log_id: string | null;
  readonly next_offset: Whole | null;
  readonly source_kind: string | null;
  readonly incarnation: string | null;
  readonly next_sequence: Whole | null;
  readonly change_lsn: Whole | null;
  readonly change_order: Whole | null;
  readonly last_recorded_at_ms: Whole | null;
}

/** A row of positions as JSON, in which no whole number loses digits; copies have no epoch of their own. */
export const positionJson = (of: string, epochOf = `${of}.epoch`): string => `json_build_object(
  'topic', ${of}.topic, 'partition', ${of}.partition, 'epoch', (${epochOf})::text,
  'log_id', ${of}.log_id, 'next_offset', ${of}.next_offset::text,
  'source_kind', ${of}.source_kind, 'incarnation', ${of}.incarnation,
  'next_sequence', ${of}.next_sequence::text, 'change_lsn', ${of}.change_lsn::text,
  'change_order', ${of}.change_order::text,
  'last_recorded_at_ms', ${of}.last_recorded_at_ms::text)`;

export function ownedPartition(row: PositionRow): OwnedPartition {
  const { topic, partition } = row;
  return { topic, partition, epoch: epoch(BigInt(row.epoch)), position: storedPosition(row) };
}

/** Partitions of which nothing was applied have no position to tell. */
export function readPositions(rows: readonly PositionRow[]): ReadPosition[] {
  return rows.flatMap((row) => {
    const position = storedPosition(row);
    if (position === undefined) return [];
    const { topic, partition, last_recorded_at_ms: last } = row;
    return [
      { topic, partition, position, lastRecordedAtMs: last === null ? undefined : Number(last) },
    ];
  });
}

function storedPosition(row: PositionRow): Position | undefined {
  if (row.log_id === null) return undefined;
  const nextOffset = offset(BigInt(row.next_offset ?? 0));
  return { logId: row.log_id, nextOffset, source: storedSource(row) };
}

function storedSource(row: PositionRow): SourcePosition {
  switch (row.source_kind) {
    case "lane":
      return {
        kind: "lane",
        incarnation: row.incarnation ?? "",
        nextSequence: sequence(BigInt(row.next_sequence ?? 0)),
      };
    case "change":
      return {
        kind: "change",
        commitLsn: lsn(BigInt(row.change_lsn ?? 0)),
        order: Number(row.change_order),
      };
    case "offset":
      return { kind: "offset" };
    default:
      throw new InvariantViolation(`A position is stored with the source ${row.source_kind}.`);
  }
}
