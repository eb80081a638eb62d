import { expect, test } from "vitest";

import type { RebuildRecord } from "../../engine/ports/rebuilds.ts";
import { Conductor } from "../../engine/rebuild/conductor.ts";
import { sweep } from "../../engine/rebuild/sweep.ts";
import { foldAll } from "../../engine/testing/given.ts";
import { realClock, until } from "../engine/process.ts";
import { board } from "../engine/seats.ts";
import { type Opened, opened, rowsWhenCaughtUp, start, traffic } from "./postgres-stage.ts";

const { signal } = new AbortController();

const conduct = ({ environment }: Opened, id: bigint): Promise<RebuildRecord | undefined> =>
  new Conductor({ environment, projection: board }).conduct(id, signal);

test("a read model in Postgres is rebuilt, swapped and brought back under live writes", async () => {
  const system = await opened();
  const endTraffic = traffic(system);
  const id = await start(system, false);
  const record = await conduct(system, id);
  expect(record).toMatchObject({ state: "swapped", failure: undefined, shadow: 2 });
  expect(record?.proof).toMatchObject({ changed: 0, added: 0, removed: 0, recount: "equal" });
  expect(record?.proof?.heldMs).toBeGreaterThan(0);
  await realClock.sleep(300);
  expect(await system.environment.rebuilds.wish(id, "undo")).toBe(true);
  expect(await conduct(system, id)).toMatchObject({ state: "undone", failure: undefined });
  await endTraffic();
  expect(await rowsWhenCaughtUp(system, 1)).toEqual(foldAll(board, system.events));
  const swept = await sweep(system.environment, signal);
  expect(swept.removed).toMatchObject([{ generation: 2 }]);
  expect(await system.environment.generations.list("board")).toMatchObject([{ generation: 1 }]);
});

test("a row that was planted in Postgres by hand is found, and gone after it is accepted", async () => {
  const system = await opened();
  const { pool, environment, events } = system;
  await rowsWhenCaughtUp(system, 1);
  await pool.query(`update read."board__g1" set held = 4711 where key = 'a'`);
  const id = await start(system, false);
  const conducting = conduct(system, id);
  await until(
    "it is proved",
    async () => (await environment.rebuilds.find(id))?.state === "proved",
  );
  const proof = (await environment.rebuilds.find(id))?.proof;
  expect(proof).toMatchObject({ changed: 1, added: 0, removed: 0 });
  expect(proof?.fields[0]).toMatchObject({ field: "held", samples: [{ key: "a", live: "4711" }] });
  await environment.rebuilds.wish(id, "run", { accept: true });
  expect(await conducting).toMatchObject({ state: "swapped" });
  expect(await rowsWhenCaughtUp(system, 2)).toEqual(foldAll(board, events));
});
