import type { Migration } from "../migrations.ts";

export const migrations: readonly Migration[] = [
  {
    name: "assignment-1",
    sql: `
      -- Who works for a consumer. Alive until expires_at, by the database's clock.
      create table refold.members (
        consumer text collate "C" not null,
        member text collate "C" not null,
        joined_at timestamptz not null default clock_timestamp(),
        expires_at timestamptz not null,
        primary key (consumer, member)
      ) with (fillfactor = 50);

      -- Who may work on which partition. It only spreads work: the epochs of refold.positions are
      -- what makes two owners harmless.
      create table refold.leases (
        consumer text collate "C" not null,
        partition integer not null,
        owner text collate "C" not null,
        -- Rises with every owner.
        epoch bigint not null default 1,
        -- The owner has been told to drain it, and lets it go.
        leaving boolean not null default false,
        expires_at timestamptz not null,
        primary key (consumer, partition)
      ) with (fillfactor = 50);`,
  },
  {
    name: "assignment-2",
    sql: `
      -- An advisory lock that a connection of the member's process holds while that lives; null: it
      -- has none, and is alive until expires_at.
      alter table refold.members add column session_lock bigint;

      -- It should have renewed by then. One that is late, and whose lock nobody holds, is dead.
      alter table refold.members add column late_at timestamptz;`,
  },
];
