import { expect, test } from "vitest";

import { PostgresEventStore } from "../../connectors/postgres/event-store/event-store.ts";
import { PostgresStoreHold } from "../../connectors/postgres/event-store/store-hold.ts";
import { command, event } from "./events.ts";
import { poolOfTest } from "./store.ts";

test("the hold of a holder that has died is taken up by another, under its name", async () => {
  const pool = await poolOfTest();
  const first = new PostgresStoreHold({ pool });
  const second = new PostgresStoreHold({ pool, patienceMs: 500 });
  await first.acquire("import", 1_000);
  await expect(second.acquire("import", 2_000)).rejects.toMatchObject({ code: "held" });
  // The server ends its session, as it does when the process is killed.
  await pool.query(
    `select pg_terminate_backend(pid) from pg_locks
     where locktype = 'advisory' and pid <> pg_backend_pid() and granted
       and database = (select oid from pg_database where datname = current_database())`,
  );
  await expect(first.setClock(3_000)).rejects.toMatchObject({ name: "TransientError" });
  await expect(first.setClock(3_000)).rejects.toMatchObject({ code: "hold-lost" });
  expect(await second.current()).toEqual({ name: "import", clockMs: 1_000 });
  await second.acquire("import", 2_000);
  expect(await second.current()).toEqual({ name: "import", clockMs: 2_000 });
  await second.release();
  expect(await first.current()).toBeUndefined();
});

test("more appends than may wait are refused at once, and the others are made", async () => {
  const pool = await poolOfTest();
  const store = new PostgresEventStore({ pool, waitingMax: 3 });
  const appends = Array.from({ length: 5 }, () =>
    store.append({ events: [event("A", [])], condition: [] }, command),
  );
  const results = await Promise.allSettled(appends);
  expect(results.map(({ status }) => status)).toEqual([
    ...Array.from({ length: 3 }, () => "fulfilled"),
    ...Array.from({ length: 2 }, () => "rejected"),
  ]);
  expect(results[4]).toMatchObject({ reason: { code: "append-queue-full" } });
});
