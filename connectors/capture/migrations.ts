/**
 * A publish in one call, and so in one round trip and one commit: moves the position if it is still
 * the caller's, appends, and wakes the readers at the commit. The fence stands first: a capture that
 * was replaced waits for no partition's lock. False: the position is another capture's.
 */
const publish = `
create function refold.capture_publish(
  of_slot text, of_epoch bigint, commit_at pg_lsn, changes bigint, complete_at pg_lsn,
  of_topics text[], of_partitions int[], counts int[], max_timestamps bigint[],
  last_timestamps bigint[], payloads bytea[]
) returns boolean language plpgsql volatile as $$
begin
  update refold.capture_position
    set commit_lsn = commit_at, changes_after = changes, complete_lsn = complete_at,
      published_at = now()
    where slot = of_slot and epoch = of_epoch;
  if not found then
    return false;
  end if;
  if cardinality(of_topics) > 0 then
    perform refold.log_append(of_topics, of_partitions, counts, max_timestamps, last_timestamps,
      payloads);
    perform pg_notify('refold_log', '');
  end if;
  return true;
end $$`;

/** The same, which keeps how far incremental snapshots are. */
const publishWithIncremental = publish
  .replace("complete_at pg_lsn,", "complete_at pg_lsn, incremental_at text,")
  .replace(
    "complete_lsn = complete_at,",
    "complete_lsn = complete_at, incremental = incremental_at,",
  );

/** The capture's position, one row for each slot, and the publish that moves it. */
export const migrations = [
  {
    name: "capture-1",
    sql: `
      create table refold.capture_position (
        slot text primary key,
        -- Raised by every capture that opens the sink: earlier ones can publish no more.
        epoch bigint not null default 1,
        -- Null until something is published.
        commit_lsn pg_lsn,
        changes_after bigint not null default 0,
        -- Null while the snapshot is not whole.
        complete_lsn pg_lsn,
        published_at timestamptz not null default now()
      ) with (fillfactor = 20)`,
  },
  { name: "capture-2", sql: publish },
  {
    name: "capture-3",
    // Null: nobody told which tables the snapshot had.
    sql: "alter table refold.capture_position add column tables text[]",
  },
  {
    name: "capture-4",
    // System identifier and timeline of the captured server; null: nobody told.
    sql: "alter table refold.capture_position add column source text",
  },
  {
    name: "capture-5",
    // How far incremental snapshots are; null: there are none.
    sql: `
      alter table refold.capture_position add column incremental text;
      drop function refold.capture_publish(text, bigint, pg_lsn, bigint, pg_lsn, text[], int[],
        int[], bigint[], bigint[], bytea[]);
      ${publishWithIncremental}`,
  },
] as const;
