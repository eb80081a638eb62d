import type { Migration } from "../migrations.ts";
import { statisticsOf } from "../planner-statistics.ts";
import { appendFunction } from "./append-function.ts";
import { verdictFunctions } from "./call-verdicts.ts";
import { noticesFunction } from "./notices-function.ts";
import { safePositionFunction } from "./safe-position-function.ts";

/**
 * The outbox columns, alike in `refold.events` and `refold.notices`: a row is published as one
 * record, its text columns as headers of their names. Headers are text because a timestamp placed
 * as a header would become a number.
 */
const outboxColumns = `
  position bigint primary key,
  topic text not null,
  partition integer not null,
  sequence bigint not null,
  key text not null,
  recorded_at timestamp(3) not null,
  value bytea not null,
  ce_sequence text not null,
  ce_incarnation text not null,
  ce_id text not null,
  ce_type text not null,
  ce_source text not null,
  ce_time text not null,
  ce_subject text not null,
  ce_specversion text not null,
  content_type text not null,
  ce_position text not null,
  ce_correlationid text not null,
  ce_causationid text,
  traceparent text`;

const tables = `
  create table refold.store (
    one boolean primary key default true check (one),
    store_id uuid not null default gen_random_uuid(),
    -- Counts the lives that operators have begun, after a restored backup say.
    life integer not null default 1,
    -- The registry whose schema ids frame the events; null before the first.
    registry text,
    hold_name text,
    hold_clock_ms bigint,
    check ((hold_name is null) = (hold_clock_ms is null))
  );
  insert into refold.store default values;

  create sequence refold.event_positions;
  create table refold.events (${outboxColumns},
    tags text[] not null
  );
  create unique index events_id on refold.events (ce_id);
  create unique index events_lane on refold.events (topic, partition, sequence);

  -- Tags as 64-bit hashes: an index of them is a third of one of texts, and comparing them is one
  -- instruction. What a hash finds is compared with the tags of the event. Not unique, since two
  -- tags of an event may share a hash.
  create table refold.event_tags (tag bigint not null, position bigint not null);
  create index event_tags_tag on refold.event_tags (tag, position);

  -- Rows are updated by every append: room in the page keeps the updates off the index.
  create table refold.lanes (
    topic text collate "C" not null,
    partition integer not null,
    last_sequence bigint not null default 0,
    last_event_id text,
    last_recorded_at timestamp(3) not null default 'epoch',
    primary key (topic, partition)
  ) with (fillfactor = 20);

  create sequence refold.notice_positions;
  create table refold.notices (${outboxColumns});
  create index notices_recorded on refold.notices (topic, recorded_at);

  -- The server's identity and its timeline, which a promotion or a recovery to a point in time
  -- changes. Neither changes under a session that can write, and reading them costs a file: a
  -- session asks once.
  create function refold.server_identity() returns text language plpgsql volatile as $$
  declare
    known text := current_setting('refold.server', true);
  begin
    if known is null or known = '' then
      select concat_ws('/', system_identifier,
        left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))
      into known from pg_control_system();
      perform set_config('refold.server', known, false);
    end if;
    return known;
  end $$;

  -- The life of the store: its id, the lives begun, and the server.
  create function refold.incarnation_of(store refold.store) returns text language sql volatile
  return left(md5(concat_ws('/', store.store_id, store.life, refold.server_identity())), 16);

  create function refold.incarnation() returns text language sql volatile as $$
    select refold.incarnation_of(s) from refold.store s
  $$;

  -- The store's clock in whole milliseconds: the database's, or that of the import which holds it.
  create function refold.clock_ms() returns bigint language sql volatile as $$
    select coalesce((select hold_clock_ms from refold.store),
      floor(extract(epoch from clock_timestamp()) * 1000)::bigint)
  $$;`;

/** Hashes, as of tags: a third of an index of texts. */
const correlationIndex = `create index events_correlation on refold.events
  (hashtextextended(ce_correlationid, 0), position)`;

/** A function with another parameter would stand beside it. */
const dropFormerAppend = `drop function if exists refold.append(
  text[], boolean, text[], integer[], text[], bigint[], bigint[],
  integer[], bigint[], text[], text[], text[], integer[], integer[], bigint[],
  integer[], integer[], bigint[], text[], text[], text[], bytea[], text[],
  text[], text[], text[], integer[], text[], integer);`;

/**
 * Who follows a correlation id is an operator, and an entry of a B-tree was an eighth of an append.
 * Summaries of ranges of pages cost an append nothing: a range gets its own when it is full. They
 * are read for the whole table, a third of a percent of its size, which the planner takes for more
 * than reading the table: the function has its own settings.
 */
const correlationSummary = `
  drop index refold.events_correlation;
  create index events_correlation on refold.events
    using brin (ce_correlationid text_bloom_ops) with (autosummarize = on);
  create function refold.of_correlation(id text) returns setof bigint
  language sql stable rows 100
  set enable_seqscan = off set max_parallel_workers_per_gather = 0 as $$
    select e.position from refold.events e where e.ce_correlationid = id
  $$`;

const looked = ["position", "topic", "partition", "sequence", "recorded_at"];

/** What no plan is chosen by. */
const passed = (
  "key value ce_sequence ce_incarnation ce_id ce_type ce_source ce_time ce_subject " +
  "ce_specversion content_type ce_position ce_correlationid ce_causationid traceparent"
).split(" ");

const fewStatistics = [
  statisticsOf("refold.events", { looked, passed: [...passed, "tags"] }),
  statisticsOf("refold.event_tags", { looked: ["tag", "position"], passed: [] }),
  statisticsOf("refold.notices", { looked, passed }),
].join("\n");

export const migrations: readonly Migration[] = [
  { name: "event-store-1", sql: tables },
  { name: "event-store-2", sql: appendFunction },
  { name: "event-store-3", sql: noticesFunction },
  { name: "event-store-4", sql: safePositionFunction },
  { name: "event-store-5", sql: correlationIndex },
  // Events that are recorded already are left as they are in requests that bring others too.
  { name: "event-store-6", sql: appendFunction },
  { name: "event-store-7", sql: `${dropFormerAppend}\n${appendFunction}` },
  { name: "event-store-8", sql: correlationSummary },
  // Appends tell their verdicts to what comes behind them in the transaction.
  { name: "event-store-9", sql: `${verdictFunctions}\n${appendFunction}` },
  { name: "event-store-10", sql: fewStatistics },
];
