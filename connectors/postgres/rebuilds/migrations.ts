import type { Migration } from "../migrations.ts";

export const migrations: readonly Migration[] = [
  {
    name: "rebuilds-1",
    sql: `
      create table refold.rebuilds (
        id bigint generated always as identity primary key,
        projection text collate "C" not null,
        request json not null,
        -- The request's, which may be given later too.
        accept boolean not null,
        state text not null default 'planned',
        wish text not null default 'run',
        asked json,
        base integer not null,
        shadow integer,
        plan json,
        progress json,
        proof json,
        failure json,
        swap_held_ms double precision,
        undo_until_ms double precision,
        conductor text,
        lease_until timestamptz,
        created_at timestamptz(3) not null default clock_timestamp(),
        changed_at timestamptz(3) not null default clock_timestamp()
      );
      create unique index rebuilds_open on refold.rebuilds (projection) where state in ('planned', 'filling', 'proving', 'proved');`,
  },
];
