/** The tables of the capture's position, one row for each slot. */
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
] as const;
