import type { Migration } from "../migrations.ts";

export const migrations: readonly Migration[] = [
  {
    name: "processor-store-1",
    sql: `
      -- Which processors there are, and the shape of their states; positions are in
      -- refold.positions under generation 0, states in refold."state__<processor>".
      create table refold.processors (
        processor text collate "C" primary key,
        -- By name: {"kind": ..., "nullable": ...}. Null: no state is kept.
        columns jsonb,
        created_at timestamptz(3) not null default now()
      );`,
  },
];
