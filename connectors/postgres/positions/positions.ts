import type { Pool, PoolClient } from "pg";

import { partitionsUnknown, type Place } from "../../../engine/fencing.ts";
import type { OwnedPartition } from "../../../engine/ports/read-model-store.ts";
import { int4Array, textArray } from "../binary-array.ts";
import { inTransaction, commit, runStatement } from "../transaction.ts";
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
