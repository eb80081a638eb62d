import type { Migration } from "../migrations.ts";

export const migrations: readonly Migration[] = [
  {
    name: "status-board-1",
    sql: `
      create table refold.task_status (
        instance text collate "C" not null,
        consumer text collate "C" not null,
        kind text not null,
        generation integer,
        topic text collate "C" not null,
        partition integer not null,
        state text not null,
        next_offset bigint not null,
        parked_keys integer not null,
        records_per_second double precision not null,
        last_recorded_at_ms bigint,
        current_as_of_ms bigint,
        reason text,
        reported_at timestamptz(3) not null
      ) with (fillfactor = 50);
      create index task_status_instance on refold.task_status (instance);`,
  },
  {
    name: "status-board-2",
    sql: `
      alter table refold.task_status
        add column following_rows integer,
        add column following_reason text;`,
  },
];
