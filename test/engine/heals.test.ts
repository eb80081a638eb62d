import { expect, test } from "vitest";

import { RowHasher } from "../../engine/digest.ts";
import { FatalError, TransientError } from "../../engine/errors.ts";
import type { RunOptions } from "../../engine/runner/options.ts";
import { happened } from "../../engine/testing/given.ts";
import { MemoryStage, numbers, traffic } from "./generation-stage.ts";
import { until } from "./process.ts";
import { board, history, Moved, Opened } from "./seats.ts";

const first = { projection: "board", generation: 1 };

async function healing() {
  const stage = await MemoryStage.open(history(numbers(120)));
  await stage.append([happened(Opened, { code: "a", size: 5 })]);
  const start = (options: Partial<RunOptions> = {}) =>
    stage.run({ heal: stage.healing(), ...options });
  return { stage, start, stored: () => stage.store.generations.get(first) };
}

/** Somebody's hand in the store: the row changes, its digest doesn't. */
function tamper(stage: MemoryStage, key: string, row: Record<string, unknown> | undefined) {
  const { rows, partitions } = stage.store.generations.get(first);
  if (row === undefined) rows.delete(key);
  else {
    rows.set(key, row);
    if (!partitions.has(key)) partitions.set(key, 0);
  }
}

test("a row as the log has it is sound, and nothing is written", async () => {
  const { stage, start } = await healing();
  await start();
  await stage.assertTrue(1);
  expect(await stage.heal("a")).toEqual({ kind: "sound" });
  expect(await stage.heal("never-seen")).toEqual({ kind: "sound" });
});

test("a row that was changed by hand is mended, with its digest", async () => {
  const { stage, start } = await healing();
  await start();
  await stage.assertTrue(1);
  const right = (await stage.rows(1)).get("a");
  tamper(stage, "a", { ...(right as object), held: 4_711 });
  expect(await stage.heal("a")).toEqual({
    kind: "healed",
    before: JSON.stringify({ ...(right as object), held: 4_711 }),
    after: JSON.stringify(right),
  });
  await stage.assertTrue(1);
});

test("a row that a hot task has folded wrongly is mended under load, and stays right", async () => {
  const { stage, start } = await healing();
  const before = await start();
  await stage.assertTrue(1);
  await before.stop();
  const wrong = { ...((await stage.rows(1)).get("a") as object), held: 4_711 };
  tamper(stage, "a", wrong);
  await start();
  const load = traffic(stage, () => [happened(Moved, { code: "a", by: 1 })]);
  await until("the task has it in hand", async () => {
    const row = (await stage.rows(1)).get("a") as { held: number };
    return row.held > wrong.held;
  });
  expect((await stage.heal("a")).kind).toBe("healed");
  await stage.append([happened(Moved, { code: "a", by: 1 })]);
  await load.end();
  await stage.assertTrue(1);
});

test("a row that a task with the right one has written over meanwhile takes nothing with it", async () => {
  const { stage, start, stored } = await healing();
  const { rows, comparisons } = stage.healing();
  let overwritten = false;
  const rowAt: typeof rows.rowAt = async (ask) => {
    // The look is over, and the heal hasn't begun: the task goes on with the row that it holds.
    if (!overwritten) {
      overwritten = true;
      await stage.append([happened(Moved, { code: "a", by: 1 })]);
      await until("it is written over", () => stage.applied(1));
    }
    return rows.rowAt(ask);
  };
  await start({ heal: { rows: { rowAt }, comparisons } });
  await stage.assertTrue(1);
  tamper(stage, "a", { ...stored().rows.get("a"), held: 4_711 });
  await stage.heal("a");
  expect(overwritten).toBe(true);
  await stage.assertTrue(1);
});

test("a row that the log can't produce goes, and one that it can comes back", async () => {
  const { stage, start } = await healing();
  await start();
  await stage.assertTrue(1);
  const { code, ...rest } = (await stage.rows(1)).get("a") as { code: string };
  tamper(stage, "planted", { ...rest, code: "planted" });
  tamper(stage, code, undefined);
  expect(await stage.heal("planted")).toMatchObject({ kind: "healed", after: null });
  expect(await stage.heal("a")).toMatchObject({ kind: "healed", before: null });
  await stage.assertTrue(1);
});

test("a digest that was changed by hand is mended with any key of its bucket", async () => {
  const { stage, start, stored } = await healing();
  await start();
  await stage.assertTrue(1);
  const bucket = new RowHasher(board.row).bucket("a");
  const right = stored().digests.get(bucket);
  stored().digests.set(bucket, { hash: 123n, rows: (right?.rows ?? 0) + 3 });
  expect((await stage.heal("a")).kind).toBe("healed");
  await stage.assertTrue(1);
  stored().digests.set(bucket, { hash: 123n, rows: 7 });
  await stage.append([happened(Moved, { code: "a", by: 1 })]);
  expect((await stage.heal("a")).kind).toBe("healed");
  await stage.assertTrue(1);
});

test("whoever owns the row heals it, and several asks are answered one after the other", async () => {
  const { stage, start, stored } = await healing();
  const one = await start();
  const two = await start();
  const owned = (runner: typeof one) => runner.reports().length;
  await until("they share", () => owned(one) === 2 && owned(two) === 2);
  await stage.assertTrue(1);
  const keys = [...stored().rows.keys()];
  for (const key of keys) tamper(stage, key, { ...stored().rows.get(key), held: 4_711 });
  tamper(stage, "planted", { ...stored().rows.get("a"), code: "planted" });
  const outcomes = await Promise.all([...keys, "planted"].map((key) => stage.heal(key)));
  expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(["healed"]));
  await stage.assertTrue(1);
});

test("what can't be folded is answered with its reason, and nothing is written", async () => {
  const { stage, start } = await healing();
  const gone = new FatalError("history-gone", "Records are gone.", "Rebuild what is left.");
  const rows = { rowAt: () => Promise.reject(gone) };
  const runner = await start({ heal: { ...stage.healing(), rows } });
  await stage.assertTrue(1);
  const wrong = { ...((await stage.rows(1)).get("a") as object), held: 4_711 };
  tamper(stage, "a", wrong);
  const outcome = await stage.heal("a");
  expect(outcome).toMatchObject({
    kind: "failed",
    reason: expect.stringContaining("history-gone"),
  });
  expect((await stage.rows(1)).get("a")).toEqual(wrong);
  expect(runner.health()[0]?.state).toBe("running");
});

test("an outage of the log puts a heal off until it is over", async () => {
  const { stage } = await healing();
  let failures = 3;
  const { rows, comparisons } = stage.healing();
  const rowAt: typeof rows.rowAt = (ask) => {
    if (failures-- > 0) return Promise.reject(new TransientError("refused", "The log is away."));
    return rows.rowAt(ask);
  };
  await stage.run({ heal: { rows: { rowAt }, comparisons } });
  await stage.assertTrue(1);
  tamper(stage, "a", { ...(stage.store.generations.get(first).rows.get("a") as object), held: 9 });
  const nudging = setInterval(() => stage.generations.changes.give(), 5);
  expect((await stage.heal("a")).kind).toBe("healed");
  clearInterval(nudging);
  expect(failures).toBeLessThan(0);
  await stage.assertTrue(1);
});
