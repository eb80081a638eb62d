import type { Migration } from "../migrations.ts";

export const migrations: readonly Migration[] = [
  {
    name: "drifts-1",
    sql: `
      create table refold.drifts (
        projection text collate "C" not null,
        generation integer not null,
        key text collate "C" not null,
        kind text not null check (kind in ('missing', 'extra', 'changed')),
        fields text[] not null,
        found_at timestamptz(3) not null default clock_timestamp(),
        primary key (projection, generation, key),
        foreign key (projection, generation) references refold.generations on delete cascade
      );`,
  },
];
