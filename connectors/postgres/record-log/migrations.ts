import type { Migration } from "../migrations.ts";
import { statisticsOf } from "../planner-statistics.ts";
import { tailFunction } from "./read-tail.ts";

/** Tables. `bytes` is external: batches are large, and compressing them would cost more than disk. */
const tables = `
create table refold.log_topics (
  topic_number int generated always as identity primary key,
  name text not null unique,
  id uuid not null default gen_random_uuid(),
  partitions int not null check (partitions > 0),
  retention_ms bigint check (retention_ms > 0)
);

create table refold.log_partitions (
  topic_number int not null references refold.log_topics on delete cascade,
  partition int not null,
  start_offset bigint not null default 0,
  end_offset bigint not null default 0,
  last_timestamp_ms bigint,
  max_timestamp_ms bigint not null default 0,
  primary key (topic_number, partition),
  check (start_offset <= end_offset)
) with (fillfactor = 50);

create table refold.log_batches (
  topic_number int not null,
  partition int not null,
  base_offset bigint not null,
  record_count int not null check (record_count > 0),
  max_timestamp_ms bigint not null,
  -- The largest timestamp of the partition up to this batch: rising, so that it can be bisected.
  running_max_timestamp_ms bigint not null,
  byte_length int not null,
  written_at timestamptz not null default now(),
  bytes bytea not null,
  primary key (topic_number, partition, base_offset)
);
alter table refold.log_batches alter column bytes set storage external;

-- How far small batches have been united; apart from the partitions, so that appends don't wait.
create table refold.log_compaction (
  topic_number int not null,
  partition int not null,
  compacted_to bigint not null default 0,
  primary key (topic_number, partition),
  foreign key (topic_number, partition) references refold.log_partitions on delete cascade
);
`;

const ensureTopic = `
create function refold.log_ensure_topic(
  topic_name text, topic_partitions int, topic_retention_ms bigint
) returns refold.log_topics language plpgsql as $$
declare
  found_topic refold.log_topics;
begin
  insert into refold.log_topics (name, partitions, retention_ms)
    values (topic_name, topic_partitions, topic_retention_ms)
    on conflict (name) do nothing returning * into found_topic;
  if found_topic.name is not null then
    insert into refold.log_partitions (topic_number, partition)
      select found_topic.topic_number, p from generate_series(0, topic_partitions - 1) p;
    insert into refold.log_compaction (topic_number, partition)
      select found_topic.topic_number, p from generate_series(0, topic_partitions - 1) p;
    return found_topic;
  end if;
  update refold.log_topics set retention_ms = topic_retention_ms
    where name = topic_name and partitions = topic_partitions
      and retention_ms is distinct from topic_retention_ms;
  select * into found_topic from refold.log_topics where name = topic_name;
  return found_topic;
end $$;
`;

/**
 * Appends batches whose base offset is still unset, in the caller's transaction. Partitions are
 * locked in sorted order, whatever the order of the arguments, in a statement of its own: the next
 * one has a snapshot taken after the locks, and so sees the ends that earlier appenders left. Locks
 * last until the transaction ends, so that offsets are given in commit order.
 */
const append = `
create function refold.log_append(
  of_topics text[], of_partitions int[], counts int[], max_timestamps bigint[],
  last_timestamps bigint[], payloads bytea[]
) returns bigint[] language plpgsql as $$
declare
  locked int;
  base_offsets bigint[];
begin
  perform 1 from refold.log_partitions p join refold.log_topics t using (topic_number)
    where (t.name, p.partition) in (select * from unnest(of_topics, of_partitions))
    order by p.topic_number, p.partition for update of p;
  get diagnostics locked = row_count;
  if locked < (select count(*) from (select distinct * from unnest(of_topics, of_partitions)) w) then
    perform refold.log_refuse_unknown(of_topics, of_partitions);
  end if;
  -- The payloads stay out of the sorting, and are joined to their places by their ordinal.
  with batch as (
    select t.topic_number, b.partition, b.ordinal, b.record_count, b.max_timestamp_ms,
      b.last_timestamp_ms, p.end_offset + sum(b.record_count) over earlier
        - b.record_count as base_offset,
      greatest(p.max_timestamp_ms, max(b.max_timestamp_ms) over earlier) as running
    from unnest(of_topics, of_partitions, counts, max_timestamps, last_timestamps)
      with ordinality b(topic, partition, record_count, max_timestamp_ms, last_timestamp_ms,
        ordinal)
    join refold.log_topics t on t.name = b.topic
    join refold.log_partitions p on p.topic_number = t.topic_number and p.partition = b.partition
    window earlier as (partition by t.topic_number, b.partition order by b.ordinal)
  ), written as (
    insert into refold.log_batches (topic_number, partition, base_offset, record_count,
      max_timestamp_ms, running_max_timestamp_ms, byte_length, bytes)
    select topic_number, partition, base_offset, record_count, max_timestamp_ms, running,
      octet_length(payload), int8send(base_offset) || substr(payload, 9)
    from batch join unnest(payloads) with ordinality y(payload, ordinal) using (ordinal)
    where record_count > 0
  ), moved as (
    update refold.log_partitions p set end_offset = p.end_offset + added.records,
      last_timestamp_ms = added.last_timestamp_ms, max_timestamp_ms = added.running
    from (
      select topic_number, partition, sum(record_count) as records, max(running) as running,
        (array_agg(last_timestamp_ms order by ordinal desc))[1] as last_timestamp_ms
      from batch where record_count > 0 group by topic_number, partition
    ) added
    where p.topic_number = added.topic_number and p.partition = added.partition
  )
  select array_agg(base_offset order by ordinal) into base_offsets from batch;
  return base_offsets;
end $$;

create function refold.log_refuse_unknown(of_topics text[], of_partitions int[]) returns void
language plpgsql as $$
declare
  missing record;
begin
  select w.topic, w.partition, t.partitions into missing
    from unnest(of_topics, of_partitions) w(topic, partition)
    left join refold.log_topics t on t.name = w.topic
    left join refold.log_partitions p
      on p.topic_number = t.topic_number and p.partition = w.partition
    where p.partition is null limit 1;
  raise exception 'The log has no partition % of topic %.', missing.partition, missing.topic
    using errcode = 'RF404', detail = json_build_object(
      'topic', missing.topic, 'partition', missing.partition, 'partitions', missing.partitions,
      'known', (select coalesce(json_agg(name order by name), '[]') from refold.log_topics));
end $$;
`;

/**
 * The first batch from an offset on that may hold a record at or after a time: bisects the running
 * maximum by offsets, then passes batches whose own maximum is earlier (retention may have taken
 * the record that raised the running one).
 */
const batchAt = `
create function refold.log_batch_at(
  in_topic int, in_partition int, from_offset bigint, time_ms bigint
) returns setof bytea language plpgsql stable as $$
declare
  low bigint;
  high bigint;
  middle bigint;
  here record;
begin
  select greatest(start_offset, from_offset), end_offset into low, high from refold.log_partitions p
    where p.topic_number = in_topic and p.partition = in_partition;
  -- The batch looked for begins at or after low, or holds it; all from high on reach the time.
  while low < high loop
    middle := (low + high) / 2;
    select b.base_offset as base, b.record_count as records, b.running_max_timestamp_ms as running
      into here from refold.log_batches b
      where b.topic_number = in_topic and b.partition = in_partition and b.base_offset <= middle
      order by b.base_offset desc limit 1;
    if here.running >= time_ms then
      high := least(here.base, middle);
    else
      low := here.base + here.records;
    end if;
  end loop;
  return query select b.bytes from refold.log_batches b
    where b.topic_number = in_topic and b.partition = in_partition and b.max_timestamp_ms >= time_ms
      and b.base_offset >= coalesce((select max(o.base_offset) from refold.log_batches o
        where o.topic_number = in_topic and o.partition = in_partition and o.base_offset <= high), high)
    order by b.base_offset limit 1;
end $$;
`;

/** Ranges of offsets that readers skip, and the batches that stood there. */
const skipped = `
create table refold.log_skipped (
  id bigint generated always as identity primary key,
  topic_number int not null references refold.log_topics on delete cascade,
  partition int not null,
  from_offset bigint not null,
  to_offset bigint not null,
  skipped_at timestamptz not null default now(),
  reason text not null,
  check (from_offset < to_offset)
);
create table refold.log_skipped_batches (
  skipped bigint not null references refold.log_skipped on delete cascade,
  -- The first of them may begin before the range: its first records were written again.
  base_offset bigint not null,
  record_count int not null,
  max_timestamp_ms bigint not null,
  written_at timestamptz not null,
  bytes bytea not null,
  primary key (skipped, base_offset)
);
alter table refold.log_skipped_batches alter column bytes set storage external;
`;

const fewStatistics = statisticsOf("refold.log_batches", {
  looked: ["topic_number", "partition", "base_offset", "record_count", "byte_length"],
  passed: ["max_timestamp_ms", "running_max_timestamp_ms", "written_at", "bytes"],
});

export const migrations: readonly Migration[] = [
  { name: "record-log-1", sql: tables + ensureTopic + append + batchAt },
  { name: "record-log-2", sql: skipped },
  { name: "record-log-3", sql: fewStatistics },
  { name: "record-log-4", sql: tailFunction },
];
