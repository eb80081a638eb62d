import { expect, test } from "vitest";

import type { RebuildEnvironment } from "../../engine/rebuild/options.ts";
import type { AnyProjection, ErasedEventProjection } from "../../engine/projection.ts";
import { Conductor } from "../../engine/rebuild/conductor.ts";
import { RebuildDesk, type RebuildDeskOptions } from "../../engine/rebuild/desk.ts";
import { CrashSignal } from "../../engine/error-policy.ts";
import { foldAll } from "../../engine/testing/given.ts";
import { board, history, tally, withNotes } from "../engine/seats.ts";
import { RebuildStage } from "./stage.ts";

const numbers = Array.from({ length: 80 }, (_, at) => (at * 7919) % 1009);
const projections = [board, tally] as ErasedEventProjection[];
const newer = { ...board, version: 2 } as ErasedEventProjection;

/** Desks at work; disposed of, they have given everything back. */
class Desks implements AsyncDisposable {
  readonly #ending = new AbortController();
  readonly #running: Promise<void>[] = [];
  readonly failures: unknown[] = [];

  open(
    environment: RebuildEnvironment,
    of: readonly AnyProjection[],
    over: Partial<RebuildDeskOptions> = {},
  ): RebuildDesk {
    const onFailure = (error: unknown): void => void this.failures.push(error);
    const newVersions = "manual";
    const desk = new RebuildDesk({
      environment,
      projections: of,
      newVersions,
      onFailure,
      ...over,
    });
    this.#running.push(desk.run(this.#ending.signal));
    return desk;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#running);
  }
}

async function staged(of: readonly ErasedEventProjection[] = projections): Promise<RebuildStage> {
  const stage = await new RebuildStage().open();
  await stage.append(withNotes(history(numbers)));
  await stage.work(of);
  for (const projection of of) await stage.caughtUp(projection);
  return stage;
}

const over = (stage: RebuildStage, id: bigint, state: string): Promise<void> =>
  stage.until(`rebuild ${id} is ${state}`, async () => {
    return (await stage.rebuilds.find(id))?.state === state;
  });

test("a desk conducts what was started elsewhere, one after the other", async () => {
  await using stage = await staged();
  await using desks = new Desks();
  desks.open(stage.environment(), projections);
  const ids = [await stage.start(board), await stage.start(tally)];
  for (const id of ids) await over(stage, id, "swapped");
  expect((await stage.rebuilds.find(ids[0] as bigint))?.conductor).toBeUndefined();
  expect(desks.failures).toEqual([]);
});

test("a desk goes on with what a dead conductor has left, and with nothing that is led", async () => {
  await using stage = await staged();
  const id = await stage.start(board);
  const { signal } = new AbortController();
  const probe = {
    at: (point: string): void => {
      if (point === "shadow-noted") throw new CrashSignal(point);
    },
  };
  const dying = new Conductor({ environment: stage.environment({ probe }), projection: board });
  await expect(dying.conduct(id, signal)).rejects.toThrow(CrashSignal);
  await using desks = new Desks();
  const desk = desks.open(stage.environment(), projections);
  await stage.clock.sleep(2_000);
  expect(desk.conducted).toEqual([]);
  await over(stage, id, "swapped");
});

test("a rebuild that waits for an operator doesn't keep others from being conducted", async () => {
  await using stage = await staged();
  await using desks = new Desks();
  desks.open(stage.environment(), projections);
  const paused = await stage.start(board);
  await stage.rebuilds.wish(paused, "pause");
  await stage.clock.sleep(2_000);
  await over(stage, await stage.start(tally), "swapped");
  expect((await stage.rebuilds.find(paused))?.state).toBe("planned");
  await stage.rebuilds.wish(paused, "run");
  await over(stage, paused, "swapped");
});

test("a desk undoes, and abandons also what it has no code of", async () => {
  await using stage = await staged();
  await using desks = new Desks();
  desks.open(stage.environment(), projections);
  const id = await stage.start(board);
  await over(stage, id, "swapped");
  await stage.rebuilds.wish(id, "undo");
  await over(stage, id, "undone");
  const other = await stage.start({ ...board, version: 7 });
  await stage.clock.sleep(5_000);
  expect(await stage.rebuilds.find(other)).toMatchObject({ state: "planned" });
  await stage.rebuilds.wish(other, "abandon");
  await over(stage, other, "abandoned");
});

test("a desk removes what was kept when its window is over", async () => {
  await using stage = await staged();
  await using desks = new Desks();
  desks.open(stage.environment(), projections);
  const id = await stage.start(board, { keepMs: 20_000 });
  await over(stage, id, "swapped");
  expect(await stage.generations.list("board")).toHaveLength(2);
  await stage.until(
    "one is left",
    async () => (await stage.generations.list("board")).length === 1,
  );
  expect((await stage.serving(board)).generation).toBe(2);
});

test("gives its leases back when it stops", async () => {
  await using stage = await staged();
  const id = await stage.start(board);
  await stage.rebuilds.wish(id, "pause");
  {
    await using desks = new Desks();
    desks.open(stage.environment(), projections);
    await stage.until("it is led", async () => {
      return (await stage.rebuilds.find(id))?.conductor !== undefined;
    });
  }
  expect((await stage.rebuilds.find(id))?.conductor).toBeUndefined();
});

test("a new version of the code is built, proved and swapped in by itself where that is wanted", async () => {
  await using stage = await staged([board]);
  await using desks = new Desks();
  desks.open(stage.environment(), [newer], { newVersions: "auto" });
  await stage.work([newer]);
  await stage.until(
    "the new version serves",
    async () => (await stage.serving(board)).version === 2,
  );
  const [record, ...others] = await stage.rebuilds.list({ limit: 10 });
  expect(record).toMatchObject({ state: "swapped", request: { by: "new-version", accept: true } });
  expect(others).toEqual([]);
  await stage.caughtUp(newer);
  const counted = stage.events.filter(({ type }) => type.name in board.on);
  expect(await stage.rowsOf(await stage.serving(board))).toEqual(foldAll(newer, counted));
});

test("waits for an operator where that is wanted, and old code starts nothing", async () => {
  await using stage = await staged([board]);
  await using desks = new Desks();
  desks.open(stage.environment(), [newer], { newVersions: "manual" });
  const older = { ...board, version: 0 } as ErasedEventProjection;
  desks.open(stage.environment(), [older], { newVersions: "auto" });
  await stage.clock.sleep(30_000);
  expect(await stage.rebuilds.list({ limit: 10 })).toEqual([]);
});

test("a version whose rebuild has failed isn't tried again by itself", async () => {
  await using stage = await staged([board]);
  const throwing = {
    ...newer,
    on: {
      ...board.on,
      Moved: () => {
        throw new Error("never moved");
      },
    },
  } as ErasedEventProjection;
  await using desks = new Desks();
  desks.open(stage.environment(), [throwing], { newVersions: "auto" });
  await stage.until("it has failed", async () => {
    return (await stage.rebuilds.list({ states: ["failed"], limit: 1 })).length === 1;
  });
  await stage.clock.sleep(60_000);
  expect(await stage.rebuilds.list({ limit: 10 })).toHaveLength(1);
  expect(await stage.generations.list("board")).toMatchObject([{ role: "serving", version: 1 }]);
});

test("a newer version takes the place of one that is still being built by itself", async () => {
  await using stage = await staged([board]);
  const started = await stage.rebuilds.start(
    stage.request(newer, { by: "new-version", accept: true }),
  );
  expect(started.outcome).toBe("started");
  const newest = { ...board, version: 3 } as ErasedEventProjection;
  await using desks = new Desks();
  desks.open(stage.environment(), [newest], { newVersions: "auto" });
  await stage.work([newest]);
  await stage.until("version 3 serves", async () => (await stage.serving(board)).version === 3);
  const records = await stage.rebuilds.list({ limit: 10 });
  expect(records.map(({ state }) => state)).toEqual(["swapped", "abandoned"]);
});
