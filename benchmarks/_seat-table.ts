import type { ClientBase, Pool } from "pg";

import type { AnyRow } from "../engine/columns.ts";
import type { SeatDelta } from "./_seat-deltas.ts";

/** An empty table of seats and one of offsets, as somebody writes them by hand. */
export async function makeSeatTable(pool: Pool, partitions: number): Promise<void> {
  await pool.query(
    `create schema if not exists peer;
     drop table if exists peer.seats, peer.offsets;
     create table peer.seats (module_code text primary key, capacity int not null,
       held int not null, confirmed int not null) with (fillfactor = 70);
     create table peer.offsets (partition int primary key, next_offset bigint not null);
     insert into peer.offsets select i, 0 from generate_series(0, ${partitions - 1}) i`,
  );
}

/** Adds deltas to the rows of their modules, in one statement. */
export async function upsertSeats(
  on: Pool | ClientBase,
  deltas: ReadonlyMap<string, SeatDelta>,
): Promise<void> {
  // In one order for everybody, so that transactions don't wait for each other in a circle.
  const codes = [...deltas.keys()].sort();
  const column = (name: keyof SeatDelta) => codes.map((code) => deltas.get(code)?.[name]);
  await on.query({
    name: "upsert seats",
    text: `insert into peer.seats as s (module_code, capacity, held, confirmed)
      select * from unnest($1::text[], $2::int[], $3::int[], $4::int[])
      on conflict (module_code) do update set capacity = s.capacity + excluded.capacity,
        held = s.held + excluded.held, confirmed = s.confirmed + excluded.confirmed`,
    values: [codes, column("capacity"), column("held"), column("confirmed")],
  });
}

/**
 * Moves a partition's offset with the rows of the same transaction.
 * @throws Error when it doesn't stand where the batch begins.
 */
export async function moveOffset(
  on: ClientBase,
  move: { readonly partition: number; readonly from: bigint; readonly to: bigint },
): Promise<void> {
  const { rowCount } = await on.query({
    name: "move offset",
    text: "update peer.offsets set next_offset = $3 where partition = $1 and next_offset = $2",
    values: [move.partition, move.from, move.to],
  });
  if (rowCount !== 1) throw new Error(`Partition ${move.partition} doesn't stand at ${move.from}.`);
}

export async function seatRows(pool: Pool): Promise<Map<string, AnyRow>> {
  const { rows } = await pool.query<AnyRow & { module_code: string }>("select * from peer.seats");
  return new Map(rows.map((row) => [row.module_code, row]));
}
