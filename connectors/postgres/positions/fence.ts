import { fencedOut } from "../../../engine/fencing.ts";
import type { Position } from "../../../engine/position.ts";
import type { Advance } from "../../../engine/ports/read-model-store.ts";
import { fenceSetting } from "../event-store/call-verdicts.ts";
import { int4Array, int8Array, int8ArrayOfNumbers, textArray } from "../binary-array.ts";

/** Columns of `refold.positions` that make up a position, with their types. */
const positionColumns = [
  ["log_id", "text"],
  ["next_offset", "int8"],
  ["source_kind", "text"],
  ["incarnation", "text"],
  ["next_sequence", "int8"],
  ["change_lsn", "int8"],
  ["change_order", "int8"],
] as const;

export const positionNames: readonly string[] = positionColumns.map(([name]) => name);

const wanted = [
  ["topic", "text"],
  ["partition", "int4"],
  ["epoch", "int8"],
  ...positionColumns.map(([name, type]) => [`from_${name}`, type] as const),
  ...positionColumns.map(([name, type]) => [`to_${name}`, type] as const),
  ["records", "int8"],
  ["last_recorded_at_ms", "int8"],
] as const;

/** Consumer, generation, and one array for each column of the advances. */
export const fenceParameterCount = 2 + wanted.length;

const list = (names: readonly string[], prefix: string) =>
  names.map((name) => `${prefix}${name}`).join(", ");

/**
 * CTEs that lock the positions of a flush in sorted order, compare each with what the flush expects,
 * and move them on when all of them match. `verdict.holds` gates the statement's other parts. The
 * parameters come first: $1 is the consumer, $2 its generation (0: a processor).
 *
 * The statement's snapshot may be older than the locks. It doesn't matter: whoever changed a
 * position while this statement waited has changed the epoch or the offset, and the comparison is
 * made with the row as it was locked.
 */
export const fence = `want as materialized (
      select * from unnest(${wanted.map(([, type], index) => `$${index + 3}::${type}[]`).join(", ")})
        as want (${wanted.map(([name]) => name).join(", ")})
    ), fence as materialized (
      select p.topic, p.partition, p.epoch = w.epoch
        and (${list(positionNames, "p.")}) is not distinct from (${list(positionNames, "w.from_")})
        as holds
      from refold.positions p join want w on p.topic = w.topic and p.partition = w.partition
      where p.consumer = $1 and p.generation = $2
      order by p.topic, p.partition
      for update of p
    ), verdict as materialized (
      select (select count(*) from fence where holds) = (select count(*) from want) as holds
    ), moved as (
      update refold.positions p
      set (${positionNames.join(", ")}) = row (${list(positionNames, "w.to_")}),
        records = p.records + w.records,
        last_recorded_at_ms = coalesce(w.last_recorded_at_ms, p.last_recorded_at_ms)
      from want w
      where p.consumer = $1 and p.generation = $2
        and p.topic = w.topic and p.partition = w.partition and (select holds from verdict)
    )`;

/**
 * Ends the statement: the partitions that were lost, none when all was written. What stands behind
 * it in the transaction can tell (`refold.assert_whole`).
 */
export const lostPartitions = `select w.topic, w.partition,
    set_config('${fenceSetting}', 'lost', true) as told
  from want w left join fence f on f.topic = w.topic and f.partition = w.partition
  where f.holds is not true`;

export interface LostPartition {
  readonly topic: string;
  readonly partition: number;
}

export function assertHeld(owner: string, lost: readonly LostPartition[]): void {
  if (lost.length > 0) throw fencedOut(owner, lost);
}

export function fenceParameters(
  of: { readonly consumer: string; readonly generation: number },
  advances: readonly Advance[],
): unknown[] {
  return [
    of.consumer,
    of.generation,
    textArray(advances.map(({ topic }) => topic)),
    int4Array(advances.map(({ partition }) => partition)),
    int8Array(advances.map(({ epoch }) => epoch)),
    ...positionArrays(advances.map(({ from }) => from)),
    ...positionArrays(advances.map(({ to }) => to)),
    int8ArrayOfNumbers(advances.map(({ records }) => records)),
    int8ArrayOfNumbers(advances.map(({ lastRecordedAtMs }) => lastRecordedAtMs)),
  ];
}

/** In the order of `positionNames`. */
export function positionArrays(positions: readonly (Position | undefined)[]): Buffer[] {
  const lanes = positions.map((of) => (of?.source.kind === "lane" ? of.source : undefined));
  const changes = positions.map((of) => (of?.source.kind === "change" ? of.source : undefined));
  return [
    textArray(positions.map((of) => of?.logId)),
    int8Array(positions.map((of) => of?.nextOffset)),
    textArray(positions.map((of) => of?.source.kind)),
    textArray(lanes.map((lane) => lane?.incarnation)),
    int8Array(lanes.map((lane) => lane?.nextSequence)),
    int8Array(changes.map((change) => change?.commitLsn)),
    int8ArrayOfNumbers(changes.map((change) => change?.order)),
  ];
}
