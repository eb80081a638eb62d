import type { Pool } from "pg";

export interface SingleAppends {
  /** In all. */
  readonly requests: number;
  /** Each waits for its append before it sends the next. */
  readonly writers: number;
  readonly value: Buffer;
}

/**
 * The least that an event store can do, in the shape of the load tests of event stores: one event a
 * call, appended to a stream at the version that the writer expects, each call a commit of its own.
 * A table with a unique key, one statement, nothing else; gives the seconds.
 *
 * @throws Error when other than all events are stored.
 */
export async function measureSingleAppends(pool: Pool, load: SingleAppends): Promise<number> {
  await pool.query(
    `create schema if not exists peer;
     drop table if exists peer.events;
     create table peer.events (global bigint generated always as identity primary key,
       stream text not null, version int not null, type text not null, value bytea not null,
       recorded_at timestamptz not null default now(), unique (stream, version))`,
  );
  const each = Math.ceil(load.requests / load.writers);
  const writer = async (_: unknown, at: number): Promise<void> => {
    for (let version = 1; version <= each; version += 1) {
      // The condition: the stream's last version is the one before.
      const { rowCount } = await pool.query({
        name: "append one",
        text: `insert into peer.events (stream, version, type, value)
          select $1, $2, 'refold.seats.ModuleRegistered', $3 where coalesce(
            (select max(version) from peer.events where stream = $1), 0) = $2::int - 1`,
        values: [`stream-${at}`, version, load.value],
      });
      if (rowCount !== 1) throw new Error(`stream-${at} refused its version ${version}.`);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: load.writers }, writer));
  const seconds = (performance.now() - began) / 1_000;
  const { rows } = await pool.query<{ n: bigint }>("select count(*) as n from peer.events");
  const stored = Number(rows[0]?.n);
  if (stored !== each * load.writers) {
    throw new Error(`${stored} events are stored instead of ${each * load.writers}.`);
  }
  return seconds;
}
