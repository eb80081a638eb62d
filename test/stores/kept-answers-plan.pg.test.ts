import { expect, onTestFinished, test } from "vitest";

import { PostgresEventStore } from "../../connectors/postgres/event-store/index.ts";
import { PostgresIdempotencyKeys } from "../../connectors/postgres/idempotency-keys/index.ts";
import { once, requestWith, unique } from "../conformance/alongside-subject.ts";
import { command } from "../event-store/events.ts";
import { storesDatabase } from "./postgres-stores.ts";

const rowsRead = `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::float8 as rows
  from pg_stat_user_tables where relname in ('events', 'idempotency_keys')`;

const many = `
  insert into refold.idempotency_keys
  select 'clients', 'many ' || n, 'f', '1', now(), '{}' from generate_series(1, 20000) n`;

test("kept answers and their events are looked up alone, by plans of when there were few", async () => {
  const resources = new AsyncDisposableStack();
  onTestFinished(() => resources.disposeAsync());
  // One session: it keeps its plans.
  const { pool } = resources.use(await storesDatabase({ connectionsMax: 1 }));
  const store = new PostgresEventStore({ pool });
  const idempotencyKeys = new PostgresIdempotencyKeys({ pool });
  const key = unique("key");
  const request = requestWith({ once: [once(key)] });
  await store.append(request, command);
  await pool.query("analyze refold.idempotency_keys, refold.events");
  const find = () => idempotencyKeys.find({ scope: "clients", key });
  const claim = () => store.append(request, command);
  const kept = await find();
  expect(await claim()).toEqual({ outcome: "repeated", kept: [kept] });
  await pool.query(many);
  const read = async (): Promise<number> => {
    await pool.query("select pg_stat_force_next_flush()");
    const { rows } = await pool.query<{ readonly rows: number }>(rowsRead);
    return rows[0]?.rows ?? Number.NaN;
  };
  const before = await read();
  for (const look of [find, claim, find, claim]) await look();
  // Of each look the answer and its event; a claim looks first whether there is an answer.
  expect((await read()) - before).toBe(10);
});
