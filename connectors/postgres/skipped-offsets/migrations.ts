import type { Migration } from "../migrations.ts";

/** What readers skip in a log outside of this database. */
export const migrations: readonly Migration[] = [
  {
    name: "skipped-offsets-1",
    sql: `
      create table refold.skipped_offsets (
        id bigint generated always as identity primary key,
        -- The log's own name of the topic, which a topic made anew doesn't share.
        topic_id text not null,
        topic text not null,
        partition int not null,
        from_offset bigint not null,
        to_offset bigint not null,
        skipped_at timestamptz not null default now(),
        reason text not null,
        check (from_offset < to_offset)
      )`,
  },
];
