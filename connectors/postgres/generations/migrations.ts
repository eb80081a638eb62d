import type { Migration } from "../migrations.ts";

export const migrations: readonly Migration[] = [
  {
    name: "generations-1",
    sql: `
      -- Null while it serves: the pointer says so. A removed one leaves its row, so that its number,
      -- under which dead letters are kept, isn't used again.
      alter table refold.generations
        add column role text check (role in ('building', 'kept', 'removing', 'removed')),
        add column rebuild bigint,
        add column kept_until timestamptz(3);
      -- Nothing says how long one that doesn't serve was to be kept.
      update refold.generations g set role = 'removing'
      where not exists (
        select from refold.serving s
        where s.projection = g.projection and s.generation = g.generation
      );

      -- Asks tasks to stand still; over when its time is.
      create table refold.generation_holds (
        id bigint generated always as identity primary key,
        projection text collate "C" not null,
        generation integer not null,
        until timestamptz not null
      );
      create table refold.generation_stands (
        hold bigint not null references refold.generation_holds on delete cascade,
        topic text collate "C" not null,
        partition integer not null,
        epoch bigint not null,
        primary key (hold, topic, partition)
      );

      create table refold.heal_asks (
        id bigint generated always as identity primary key,
        projection text collate "C" not null,
        generation integer not null,
        key text collate "C" not null,
        asked_at timestamptz(3) not null default clock_timestamp(),
        answered_at timestamptz(3),
        -- As written: json, unlike jsonb, keeps every character.
        outcome json
      );
      create index heal_asks_open on refold.heal_asks (id) where answered_at is null;`,
  },
];
