import type { Pool, PoolClient } from "pg";

import { partitionsUnknown, type Place } from "../../../engine/fencing.ts";
import type { ReadPosition } from "../../../engine/ports/read-model-reader.ts";
import type { OwnedPartition } from "../../../engine/ports/read-model-store.ts";
import { int4Array, int8ArrayOfNumbers, textArray } from "../binary-array.ts";
import { inTransaction, commit, runStatement } from "../transaction.ts";
import { positionArrays, positionNames } from "./fence.ts";
import { ownedPartition, type PositionRow } from "./stored-position.ts";

/** Whose positions: a projection's generation, or (generation 0) a processor. */
export interface Consumer {
  readonly consumer: string;
  readonly generation: number;
}

/** Makes a place for every partition; those that are there stay as they are. */
export async function addPartitions(
  client: PoolClient,
  { consumer, generation }: Consumer,
  topics: readonly { readonly name: string; readonly partitions: number }[],
): Promise<void> {
  await client.query(
    `insert into refold.positions (consumer, generation, topic, partition)
     select $1::text, $2::int4, t.name, p.partition
     from unnest($3::text[], $4::int4[]) as t (name, partitions),
       generate_series(0, t.partitions - 1) as p (partition)
     order by 3, 4
     on conflict do nothing`,
    [
      consumer,
      generation,
      textArray(topics.map(({ name }) => name)),
      int4Array(topics.map(({ partitions }) => partitions)),
    ],
  );
}

/** What a copy of positions takes over: all but the epochs. */
export const copiedColumns = [...positionNames, "records", "last_recorded_at_ms"].join(", ");

/** Where reading begins, of a consumer that has applied nothing yet. */
export async function beginAt(
  client: PoolClient,
  { consumer, generation }: Consumer,
  positions: readonly ReadPosition[],
): Promise<void> {
  const names = [...positionNames, "last_recorded_at_ms"];
  await client.query(
    `update refold.positions p set (${names.join(", ")}) = row (${names.map((name) => `b.${name}`).join(", ")})
     from unnest($3::text[], $4::int4[], $5::text[], $6::int8[], $7::text[], $8::text[],
       $9::int8[], $10::int8[], $11::int8[], $12::int8[]) as b (topic, partition, ${names.join(", ")})
     where p.consumer = $1 and p.generation = $2
       and p.topic = b.topic and p.partition = b.partition`,
    [
      consumer,
      generation,
      textArray(positions.map(({ topic }) => topic)),
      int4Array(positions.map(({ partition }) => partition)),
      ...positionArrays(positions.map(({ position }) => position)),
      int8ArrayOfNumbers(positions.map(({ lastRecordedAtMs }) => lastRecordedAtMs)),
    ],
  );
}

/** Locks in the order of every flush, so that a claim waits for flushes instead of deadlocking. */
const claimStatement = `with locked as (
    select p.topic, p.partition from refold.positions p
      join unnest($3::text[], $4::int4[]) as want (topic, partition)
        on p.topic = want.topic and p.partition = want.partition
    where p.consumer = $1 and p.generation = $2
    order by p.topic, p.partition
    for update of p
  )
  update refold.positions p set epoch = p.epoch + 1 from locked
  where p.consumer = $1 and p.generation = $2
    and p.topic = locked.topic and p.partition = locked.partition
  returning p.*`;

/** In the order asked for. @throws FatalError `partition-unknown`. */
export function claimPartitions(
  pool: Pool,
  of: Consumer,
  places: readonly Place[],
): Promise<OwnedPartition[]> {
  return inTransaction(pool, `Claiming partitions for ${of.consumer}`, async (client) => {
    const { rows } = await client.query<PositionRow>(claimStatement, [
      of.consumer,
      of.generation,
      textArray(places.map(({ topic }) => topic)),
      int4Array(places.map(({ partition }) => partition)),
    ]);
    const owned = places.map((place) => {
      const row = rows.find(
        (row) => row.topic === place.topic && row.partition === place.partition,
      );
      return { place, owned: row && ownedPartition(row) };
    });
    const unknown = owned.filter((claim) => claim.owned === undefined);
    if (unknown.length > 0) {
      throw partitionsUnknown(
        of.consumer,
        unknown.map(({ place }) => place),
      );
    }
    return commit(owned.flatMap((claim) => claim.owned ?? []));
  });
}

/** All partitions of a consumer, in order of topic and partition. */
export async function allPositions(pool: Pool, of: Consumer): Promise<OwnedPartition[]> {
  const rows = await runStatement<PositionRow>(pool, {
    doing: `Reading the positions of ${of.consumer}`,
    stage: "preparing",
    text: `select * from refold.positions where consumer = $1 and generation = $2
      order by topic, partition`,
    values: [of.consumer, of.generation],
  });
  return rows.map(ownedPartition);
}
