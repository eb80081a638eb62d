import { expect, onTestFinished, test } from "vitest";

import {
  engineMigrations,
  makePool,
  migrate,
  PostgresDeadLetters,
  PostgresReadModelStore,
} from "../../connectors/postgres/index.ts";
import { databaseOfTest } from "../support/database.ts";
import { breaking, garbled, Trails } from "./trails.ts";

async function trailsOnPostgres(seed: number): Promise<Trails> {
  const pool = makePool({ url: await databaseOfTest(), name: "letters test" });
  onTestFinished(() => pool.end());
  await migrate(pool, engineMigrations());
  const deadLetters = new PostgresDeadLetters({ pool });
  const store = new PostgresReadModelStore({ pool });
  const trails = new Trails({ deadLetters, store, seed, crashOneIn: 15 });
  await trails.open();
  return trails;
}

const codes = ["a", "b", "c", "d", "ü"];

/** Moves of all the codes, every seventh of which breaks the fold, and every eleventh is garbled. */
const moves = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => {
    const at = from + index;
    const by = at % 11 === 0 ? garbled : at % 7 === 0 ? breaking : (at % 9) + 1;
    return { code: codes[(at * 3 + (at >> 2)) % codes.length] as string, by };
  });

test("letters end as if their records had come late, over crashes at every step", async () => {
  const trails = await trailsOnPostgres(7);
  for (let round = 0; round < 6; round += 1) {
    await trails.append(moves(1 + round * 20, 20));
    await trails.work();
    expect(await trails.rows()).toEqual(await trails.expected(["failed", "waiting", "discarded"]));
    trails.fold.mended = round % 2 === 0;
    await trails.ask("redrive", round);
    if (round === 2) await trails.ask("discard", 3);
    if (round === 4) await trails.ask("discard-with-parked", 1);
  }
  await trails.settleAll();
  expect(await trails.letters("waiting")).toEqual([]);
  expect(await trails.rows()).toEqual(await trails.expected(["discarded"]));
  expect(trails.crashes).toBeGreaterThan(10);
  expect((await trails.letters("redriven")).length).toBeGreaterThan(10);
});
