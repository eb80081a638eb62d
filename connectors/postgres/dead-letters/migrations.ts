import type { Migration } from "../migrations.ts";

export const migrations: readonly Migration[] = [
  {
    name: "dead-letters-1",
    sql: `
      create table refold.dead_letters (
        id bigint generated always as identity primary key,
        at timestamptz(3) not null default now(),
        consumer text collate "C" not null,
        topic text collate "C" not null,
        partition integer not null,
        "offset" bigint not null,
        timestamp_ms bigint not null,
        key bytea,
        value bytea,
        header_names text[] not null,
        header_values bytea[] not null,
        disposition text not null check (disposition in ('failed', 'waiting')),
        cause text not null,
        message text not null,
        stack text
      );
      create index dead_letters_lane on refold.dead_letters (consumer, topic, partition);
      create index dead_letters_consumer on refold.dead_letters (consumer, id);`,
  },
];
