import { expect, onTestFinished, test } from "vitest";

import {
  engineMigrations,
  makePool,
  migrate,
  PostgresDeadLetters,
  PostgresReadModelStore,
} from "../../connectors/postgres/index.ts";
import { cuttingProxy } from "../stores/cutting-proxy.ts";
import { databaseOfTest } from "../support/database.ts";
import { breaking, Trails } from "./trails.ts";

const codes = ["a", "b", "c", "d", "e", "f"];

/** Six failed letters, a process whose connections can be cut, and one that goes on. */
async function half() {
  const url = await databaseOfTest();
  const resources = new AsyncDisposableStack();
  onTestFinished(() => resources.disposeAsync());
  const proxy = resources.use(await cuttingProxy(url));
  const poolOf = (of: string, name: string) => {
    const pool = makePool({ url: of, name, connectionsMax: 2 });
    resources.defer(() => pool.end());
    return pool;
  };
  const pool = poolOf(url, "goes on");
  await migrate(pool, engineMigrations());
  const deadLetters = new PostgresDeadLetters({ pool });
  const store = new PostgresReadModelStore({ pool });
  const trails = new Trails({ deadLetters, store, seed: 1, crashOneIn: 0 });
  await trails.open();
  await trails.append(codes.map((code) => ({ code, by: breaking })));
  await trails.work();
  const dying = new PostgresDeadLetters({ pool: poolOf(proxy.url, "dies") });
  /** A second more has passed for the orders. */
  const elapse = () =>
    pool.query("update refold.letter_orders set filled_at = filled_at - interval '1 s'");
  return { trails, deadLetters, dying, proxy, elapse };
}

test("an order that is half released when its process dies goes on in another, each letter once", async () => {
  const { trails, deadLetters, dying, proxy, elapse } = await half();
  const request = { letters: {}, action: "redrive", by: "ann", reason: "mended" } as const;
  const { id } = await dying.order({ ...request, lettersPerSecond: 2 });
  const asked = async () => (await deadLetters.findOrder(id))?.asked;
  expect(await asked()).toBe(1);

  await elapse();
  proxy.loseAnswerTo("update refold.letter_orders");
  await expect(dying.release(10)).rejects.toMatchObject({ name: "TransientError" });
  expect(await asked()).toBe(1);

  proxy.loseAnswerTo("commit");
  await expect(dying.release(10)).rejects.toMatchObject({ name: "TransientError" });
  await expect.poll(asked).toBeGreaterThan(1);
  const before = await asked();
  expect(before).toBeLessThan(codes.length);

  for (let second = 0; second < codes.length + 1; second += 1) {
    await elapse();
    await deadLetters.release(10);
  }
  expect(await deadLetters.findOrder(id)).toMatchObject({
    state: "asked",
    matched: codes.length,
    asked: codes.length,
    unanswered: codes.length,
  });
  const letters = await trails.letters("failed");
  expect(letters.map(({ asks }) => asks)).toEqual(codes.map(() => 1));
  trails.fold.mended = true;
  await trails.work();
  expect(await trails.rows()).toEqual(await trails.expected([]));
});
