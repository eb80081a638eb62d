import type { Migration } from "../migrations.ts";

export const migrations: readonly Migration[] = [
  {
    name: "snapshots-1",
    sql: `
      -- Rows of kept snapshots: a table each, snapshots."<projection>__s<id>".
      create schema if not exists snapshots;

      create table refold.snapshots (
        id bigint generated always as identity primary key,
        projection text collate "C" not null,
        generation integer not null,
        version integer not null,
        columns jsonb not null,
        taken_at timestamptz(3) not null default clock_timestamp(),
        rows bigint not null default 0,
        audited_at timestamptz(3),
        -- The snapshot from which it was audited; null: the log's beginning.
        audited_from bigint,
        refuted text
      );
      create index snapshots_projection on refold.snapshots (projection, id);

      -- As refold.positions, without the epochs.
      create table refold.snapshot_positions (
        snapshot bigint not null references refold.snapshots on delete cascade,
        topic text collate "C" not null,
        partition integer not null,
        log_id text,
        next_offset bigint,
        source_kind text,
        incarnation text,
        next_sequence bigint,
        change_lsn bigint,
        change_order bigint,
        records bigint not null,
        last_recorded_at_ms bigint,
        primary key (snapshot, topic, partition)
      );
      -- As refold.digests.
      create table refold.snapshot_digests (
        snapshot bigint not null references refold.snapshots on delete cascade,
        slice integer not null,
        high bigint[] not null,
        low bigint[] not null,
        rows bigint[] not null,
        primary key (snapshot, slice)
      );`,
  },
];
