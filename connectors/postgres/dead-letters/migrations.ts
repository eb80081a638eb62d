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
  {
    name: "dead-letters-3",
    sql: `
      alter table refold.dead_letters
        add column event_type text,
        add column correlation_id text,
        add column schema_id bigint,
        add column order_id bigint,
        add column edited_value bytea,
        add column edited_by text,
        add column edited_reason text,
        add column edited_at timestamptz(3),
        -- The disposition that was published last.
        add column published text;
      -- Types and ids are ASCII; what isn't is shown by escapes, for letters from before this step.
      update refold.dead_letters set
        event_type = encode(header_values[array_position(header_names, 'ce_type')], 'escape'),
        correlation_id =
          encode(header_values[array_position(header_names, 'ce_correlationid')], 'escape'),
        schema_id = case when length(value) >= 5 and get_byte(value, 0) = 0 then
          ('x' || encode(substr(value, 2, 4), 'hex'))::bit(32)::int4 end;
      create index dead_letters_order on refold.dead_letters (order_id) where order_id is not null;
      create index dead_letters_correlation on refold.dead_letters (correlation_id)
        where correlation_id is not null;
      create index dead_letters_news on refold.dead_letters (id)
        where published is distinct from disposition;
      create table refold.letter_orders (
        id bigint generated always as identity primary key,
        at timestamptz(3) not null default now(),
        action text not null check (action in ('redrive', 'discard', 'discard-with-parked')),
        by text not null,
        reason text,
        criteria jsonb not null,
        letters_per_second float8 check (letters_per_second > 0),
        state text not null default 'open' check (state in ('open', 'asked', 'stopped')),
        matched bigint not null,
        asked bigint not null default 0,
        -- Letters with a higher id came later; the cursor's and those below it were asked for.
        last_id bigint not null,
        cursor bigint not null default 0,
        -- A bucket of letters that may be asked for, filled at the rate up to one second's.
        allowance float8 not null default 1,
        filled_at timestamptz not null default clock_timestamp()
      );
      create index letter_orders_open on refold.letter_orders (id) where state = 'open';
      create table refold.letter_acts (
        id bigint generated always as identity primary key,
        at timestamptz(3) not null default now(),
        letter bigint not null,
        act text not null,
        by text not null,
        reason text,
        order_id bigint,
        value bytea
      );
      create index letter_acts_letter on refold.letter_acts (letter, id);`,
  },
  {
    name: "dead-letters-4",
    sql: `
      -- Orders that were stopped before this step don't say by whom.
      alter table refold.letter_orders
        add column stopped_by text,
        add column stopped_at timestamptz(3);`,
  },
];
