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
  {
    name: "dead-letters-2",
    sql: `
      alter table refold.dead_letters rename column at to first_at;
      alter table refold.dead_letters
        add column generation integer not null default 0,
        add column source_kind text not null default 'unknown'
          check (source_kind in ('lane', 'change', 'unknown')),
        add column incarnation text,
        add column sequence bigint,
        add column change_lsn bigint,
        add column change_order bigint,
        add column attempts integer not null default 1,
        add column last_at timestamptz(3) not null default now(),
        add column asked text check (asked in ('redrive', 'discard', 'discard-with-parked')),
        add column asked_reason text,
        add column asks integer not null default 0,
        add column settled_at timestamptz(3),
        add column reason text,
        drop constraint dead_letters_disposition_check,
        add constraint dead_letters_disposition_check
          check (disposition in ('failed', 'waiting', 'redriven', 'discarded'));
      update refold.dead_letters d set generation = s.generation
        from refold.serving s where s.projection = d.consumer;
      update refold.dead_letters set last_at = first_at,
        attempts = case disposition when 'failed' then 1 else 0 end;
      drop index refold.dead_letters_lane;
      -- A record is set aside once; a key's open letters are read in order of offset.
      create unique index dead_letters_place
        on refold.dead_letters (consumer, generation, topic, partition, "offset");
      create index dead_letters_open on refold.dead_letters (consumer, generation, topic, partition)
        where disposition in ('failed', 'waiting');
      create index dead_letters_asked on refold.dead_letters (id) where asked is not null;`,
  },
];
