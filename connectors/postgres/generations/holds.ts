import type { Pool } from "pg";

import { generationUnknown } from "../../../engine/generation-faults.ts";
import type { GenerationHold, HeldPartition } from "../../../engine/ports/generations.ts";
import type { Generation } from "../../../engine/ports/read-model-store.ts";
import { epoch } from "../../../engine/position.ts";
import { int4Array, int8Array, textArray } from "../binary-array.ts";
import { commit, inTransaction, runStatement } from "../transaction.ts";
import { giveTurn } from "./turns.ts";

/** For how long holds that are over stay in their table. */
const forgetAfter = "interval '1 hour'";

export function openHold(
  pool: Pool,
  { projection, generation }: Pick<Generation, "projection" | "generation">,
  forMs: number,
): Promise<bigint> {
  return inTransaction(pool, `Holding ${projection}`, async (client) => {
    await client.query(
      `delete from refold.generation_holds where until < clock_timestamp() - ${forgetAfter}`,
    );
    const { rows } = await client.query<{ id: bigint }>(
      `insert into refold.generation_holds (projection, generation, until)
       select projection, generation, clock_timestamp() + $3::float8 * interval '1 millisecond'
       from refold.generations
       where projection = $1 and generation = $2 and role is distinct from 'removed'
       returning id`,
      [projection, generation, forMs],
    );
    if (rows[0] === undefined) throw generationUnknown(projection, generation);
    await giveTurn(client);
    return commit(rows[0].id);
  });
}

export function closeHold(pool: Pool, hold: bigint): Promise<void> {
  return inTransaction(pool, "Ending a hold", async (client) => {
    await client.query("delete from refold.generation_holds where id = $1", [hold]);
    await giveTurn(client);
    return commit(undefined);
  });
}

export async function openHolds(pool: Pool): Promise<GenerationHold[]> {
  const rows = await runStatement<{
    id: bigint;
    projection: string;
    generation: number;
    left_ms: number;
  }>(pool, {
    doing: "Looking for holds",
    stage: "preparing",
    name: "refold-open-holds",
    text: `select id, projection, generation,
        extract(epoch from until - clock_timestamp())::float8 * 1000 as left_ms
      from refold.generation_holds where until > clock_timestamp() order by id`,
  });
  return rows.map(({ left_ms: leftMs, ...hold }) => ({ ...hold, leftMs }));
}

/** A hold that is over takes no more: its row is locked, so that it isn't released in between. */
export function standStill(
  pool: Pool,
  hold: bigint,
  partitions: readonly HeldPartition[],
): Promise<void> {
  return inTransaction(pool, "Telling which partitions stand still", async (client) => {
    await client.query(
      `insert into refold.generation_stands as s (hold, topic, partition, epoch)
       select h.id, t.topic, t.partition, t.epoch from refold.generation_holds h,
         unnest($2::text[], $3::int4[], $4::int8[]) as t (topic, partition, epoch)
       where h.id = $1 and h.until > clock_timestamp() order by t.topic, t.partition
       for key share of h
       on conflict (hold, topic, partition) do update set epoch = excluded.epoch`,
      [
        hold,
        textArray(partitions.map(({ topic }) => topic)),
        int4Array(partitions.map(({ partition }) => partition)),
        int8Array(partitions.map((one) => one.epoch)),
      ],
    );
    await giveTurn(client);
    return commit(undefined);
  });
}

/** Those whose epoch is still the one that was told: a later claim doesn't stand by itself. */
export async function stoodStill(pool: Pool, hold: bigint): Promise<HeldPartition[]> {
  const rows = await runStatement<{ topic: string; partition: number; epoch: bigint }>(pool, {
    doing: "Looking which partitions stand still",
    stage: "preparing",
    name: "refold-standing",
    text: `select s.topic, s.partition, s.epoch
      from refold.generation_stands s join refold.generation_holds h on h.id = s.hold
        join refold.positions p on p.consumer = h.projection and p.generation = h.generation
          and p.topic = s.topic and p.partition = s.partition and p.epoch = s.epoch
      where h.id = $1 and h.until > clock_timestamp() order by s.topic, s.partition`,
    values: [hold],
  });
  return rows.map((row) => ({ ...row, epoch: epoch(row.epoch) }));
}
