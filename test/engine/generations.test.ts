import { expect, test } from "vitest";

import { integer, text } from "../../engine/columns.ts";
import { defineProjection } from "../../engine/projection.ts";
import { foldAll } from "../../engine/testing/given.ts";
import { MemoryStatusBoard } from "../../engine/memory/status-board.ts";
import { MemoryStage, numbers, traffic } from "./generation-stage.ts";
import { until } from "./process.ts";
import { board, counters, history } from "./seats.ts";

/** The same rows, from code of a later version. */
const later = { ...board, version: 2 };

test("a swap under load, and its undo, leave every record in both generations, once", async () => {
  const stage = await MemoryStage.open(history(numbers(200)));
  const runner = await stage.run();
  await until("it has caught up", () => runner.ageMs("board") < 1_000);
  const states = new Set<string>();
  const watching = setInterval(() => {
    for (const { state, ageMs } of runner.health()) states.add(ageMs < 5_000 ? state : "old");
  }, 1);
  const load = traffic(stage, (at) => history(numbers(5, at)));
  const shadow = await stage.shadow();
  expect(await stage.swap(shadow)).toMatchObject({ outcome: "swapped" });
  await until("the new one is taken up", () => {
    const serving = runner.reports().filter(({ consumer }) => consumer === "board");
    return serving.length === 4 && serving.every(({ generation }) => generation === 2);
  });
  const hold = await stage.heldStill(2);
  const position = await stage.cuts({ projection: "board", generation: 2 });
  await until("the kept one has what served", async () => {
    const kept = await stage.cuts({ projection: "board", generation: 1 });
    return [...position].every(([place, at]) => (kept.get(place) ?? 0n) >= at);
  });
  const undo = { projection: "board", from: 2, to: 1, keepMs: 60_000 } as const;
  const verdict = await stage.generations.swap({ ...undo, condition: "reached" });
  await stage.generations.release(hold);
  expect(verdict.outcome).toBe("swapped");
  await load.end();
  for (const generation of [1, 2]) await stage.assertTrue(generation);
  clearInterval(watching);
  expect([...states]).toEqual(["running"]);
  const told = new Set(runner.reports().map(({ consumer, generation }) => [consumer, generation]));
  expect(new Set([...told].map(String))).toEqual(new Set(["board,1", "board~g2,2"]));
});

test("a shadow is nobody's until it serves, and what is retired is let go", async () => {
  const stage = await MemoryStage.open(history(numbers(50)));
  const runner = await stage.run();
  await stage.assertTrue(1);
  const shadow = await stage.shadow();
  await stage.append(history(numbers(50, 50)));
  await stage.assertTrue(1);
  expect(await stage.cuts(shadow)).toEqual(new Map());
  await stage.swap(shadow);
  await stage.generations.retire({ projection: "board", generation: 1 });
  await until("the old one is let go", () => {
    const reports = runner.reports();
    return reports.length === 4 && reports.every(({ generation }) => generation === 2);
  });
  await stage.append(history(numbers(50, 100)));
  await stage.assertTrue(2);
  expect(runner.health()).toMatchObject([{ consumer: "board", state: "running" }]);
});

test("code of another version waits, says for what, and takes up its generation when that serves", async () => {
  const stage = await MemoryStage.open(history(numbers(80)));
  const boardOf = new MemoryStatusBoard();
  const old = await stage.run({ statusBoard: boardOf, instance: "old" });
  await stage.assertTrue(1);
  const young = await stage.run({ projections: [later] });
  const [waiting] = young.health();
  expect(waiting).toMatchObject({ consumer: "board", state: "waiting", ageMs: Infinity });
  expect(waiting?.reasons[0]).toMatch(/Version 1 serves \(generation 1\).*version 2.*rebuild/);
  expect(young.reports()).toEqual([]);

  const shadow = await stage.shadow(later);
  expect(await stage.swap(shadow, later)).toMatchObject({ outcome: "swapped" });
  await until("the new code runs", () => young.health()[0]?.state === "running");
  await until("the old code says so", () => old.health()[0]?.state === "waiting");
  expect(old.health()[0]?.reasons[0]).toMatch(/Version 2 serves.*newer code/);
  expect(old.reports().map(({ consumer }) => consumer)).toEqual(Array(4).fill("board~g1"));
  await stage.append(history(numbers(80, 80)));
  for (const generation of [1, 2]) await stage.assertTrue(generation);
});

test("the same version with other columns is fatal at the start", async () => {
  const stage = await MemoryStage.open();
  await stage.run();
  const other = defineProjection({
    ...board,
    row: { code: text(), size: integer(), held: integer(), moves: text() },
    on: { Opened: () => undefined, Moved: (row) => row, Closed: () => undefined },
    notify: undefined as never,
  });
  await expect(stage.run({ projections: [other] })).rejects.toThrow(/columns-differ|other columns/);
});

test("two processes share the new generation's partitions, and one can leave", async () => {
  const stage = await MemoryStage.open(history(numbers(100)));
  const [one, two] = [await stage.run(), await stage.run()];
  await stage.assertTrue(1);
  const load = traffic(stage, (at) => history(numbers(5, at)));
  await stage.swap(await stage.shadow());
  const owned = (runner: typeof one) =>
    runner.reports().filter(({ consumer, state }) => consumer === "board" && state === "running");
  await until("both share the new one", () => owned(one).length === 2 && owned(two).length === 2);
  await two.stop();
  await until("the other has all", () => owned(one).length === counters.partitions);
  await load.end();
  for (const generation of [1, 2]) await stage.assertTrue(generation);
});

test("metrics of a kept generation are told apart, so that none is counted twice", async () => {
  const stage = await MemoryStage.open(history(numbers(60)));
  const counts = new Map<string, number>();
  const metrics = {
    count: (name: string, by: number, labels: Readonly<Record<string, string>> = {}) => {
      const key = `${name} ${labels["consumer"]}`;
      counts.set(key, (counts.get(key) ?? 0) + by);
    },
    gauge: () => undefined,
    drop: () => undefined,
    observe: () => undefined,
  };
  await stage.run({ metrics });
  await stage.assertTrue(1);
  await stage.swap(await stage.shadow());
  await stage.append(history(numbers(40, 60)));
  for (const generation of [1, 2]) await stage.assertTrue(generation);
  expect(counts.get("records_applied_total board")).toBe(100);
  expect(counts.get("records_applied_total board~kept")).toBe(40);
  expect(await stage.rows(2)).toEqual(foldAll(board, stage.events));
});
