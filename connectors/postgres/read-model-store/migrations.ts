import type { Migration } from "../migrations.ts";

export const migrations: readonly Migration[] = [
  {
    name: "read-model-store-1",
    sql: `
      -- Read models, for people too: read."<projection>" is a view of the generation that serves.
      create schema if not exists read;

      create table refold.generations (
        projection text collate "C" not null,
        generation integer not null check (generation > 0),
        version integer not null,
        -- By name: {"kind": ..., "nullable": ...}.
        columns jsonb not null,
        created_at timestamptz(3) not null default now(),
        primary key (projection, generation)
      );

      -- The pointer: one row for each projection that was ever built.
      create table refold.serving (
        projection text collate "C" primary key,
        generation integer not null,
        since timestamptz(3) not null default now(),
        foreign key (projection, generation) references refold.generations
      );

      -- Up to where a consumer's effects are true, and the epoch of whoever may move it on. A
      -- projection has rows for each generation, a processor has generation 0.
      create table refold.positions (
        consumer text collate "C" not null,
        generation integer not null,
        topic text collate "C" not null,
        partition integer not null,
        epoch bigint not null default 0,
        -- Null until something was applied.
        log_id text,
        next_offset bigint,
        source_kind text check (source_kind in ('lane', 'change', 'offset')),
        incarnation text,
        next_sequence bigint,
        change_lsn bigint,
        change_order bigint,
        records bigint not null default 0,
        last_recorded_at_ms bigint,
        primary key (consumer, generation, topic, partition)
      ) with (fillfactor = 50);

      -- Digests modulo 2^64 as two halves of 32 bits, which bigint adds without overflow and
      -- without the cost of numeric.
      create table refold.digests (
        projection text collate "C" not null,
        generation integer not null,
        bucket integer not null,
        high bigint not null,
        low bigint not null,
        rows bigint not null,
        primary key (projection, generation, bucket),
        foreign key (projection, generation) references refold.generations on delete cascade
      ) with (fillfactor = 50);`,
  },
  {
    name: "read-model-store-2",
    sql: `
      -- Sixteen buckets in a row: a flush touches nearly every bucket, and sixteen updates of half a
      -- kilobyte cost a fraction of 256 small ones. One row of all would be moved out of line.
      alter table refold.digests rename to digests_by_bucket;
      create table refold.digests (
        projection text collate "C" not null,
        generation integer not null,
        slice integer not null check (slice between 0 and 15),
        -- Element i (from 1) is bucket slice * 16 + i - 1.
        high bigint[] not null,
        low bigint[] not null,
        rows bigint[] not null,
        primary key (projection, generation, slice),
        foreign key (projection, generation) references refold.generations on delete cascade
      ) with (fillfactor = 50);
      insert into refold.digests
      select g.projection, g.generation, bucket / 16,
        array_agg(coalesce(d.high, 0) order by bucket),
        array_agg(coalesce(d.low, 0) order by bucket),
        array_agg(coalesce(d.rows, 0) order by bucket)
      from (select distinct projection, generation from refold.digests_by_bucket) g
        cross join generate_series(0, 255) as bucket
        left join refold.digests_by_bucket d using (projection, generation, bucket)
      group by 1, 2, 3;
      drop table refold.digests_by_bucket;`,
  },
];
