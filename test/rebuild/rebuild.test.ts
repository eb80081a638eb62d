import { describe, expect, test } from "vitest";

import { integer } from "../../engine/columns.ts";
import { offset } from "../../engine/position.ts";
import type { RebuildRecord } from "../../engine/ports/rebuilds.ts";
import { defineProjection, type ErasedEventProjection } from "../../engine/projection.ts";
import { Conductor } from "../../engine/rebuild/conductor.ts";
import { sweep } from "../../engine/rebuild/sweep.ts";
import { foldAll, happened } from "../../engine/testing/given.ts";
import {
  board,
  Closed,
  counters,
  history,
  Moved,
  Opened,
  tally,
  withNotes,
} from "../engine/seats.ts";
import { RebuildStage } from "./stage.ts";

const numbers = Array.from({ length: 150 }, (_, at) => (at * 7919) % 1009);
const { signal } = new AbortController();

async function staged(events = history(numbers), projections = [board as ErasedEventProjection]) {
  const stage = await new RebuildStage().open();
  await stage.append(events);
  await stage.work(projections);
  for (const projection of projections) await stage.caughtUp(projection);
  return stage;
}

/** Changes a stored row behind the back of everything that keeps it. */
async function plant(stage: RebuildStage, key: string, row: Record<string, unknown> | undefined) {
  const serving = await stage.serving(board);
  const { rows } = stage.readModels.generations.get(serving);
  if (row === undefined) rows.delete(key);
  else rows.set(key, row);
}

async function expectSound(stage: RebuildStage, projection: ErasedEventProjection): Promise<void> {
  await stage.caughtUp(projection);
  const serving = await stage.serving(projection);
  expect(await stage.rowsOf(serving)).toEqual(foldAll(projection, stage.events));
  const { stored, counted } = await stage.digests(serving);
  expect(stored).toEqual(counted);
}

async function whenState(stage: RebuildStage, id: bigint, state: RebuildRecord["state"]) {
  await stage.until(state, async () => (await stage.rebuilds.find(id))?.state === state);
}

describe("a rebuild of the same version", () => {
  test("tells how far it came, however short it was", async () => {
    await using stage = await staged();
    const { progress, plan } = await stage.conduct(board, await stage.start(board));
    expect(progress?.done).toBe(plan?.events);
    expect(progress?.total).toBe(plan?.events);
  });

  test("fills a shadow, proves it equal and swaps it in", async () => {
    await using stage = await staged();
    const told = stage.notices.length;
    const id = await stage.start(board);
    const record = await stage.conduct(board, id);
    expect(record).toMatchObject({ state: "swapped", failure: undefined, base: 1, shadow: 2 });
    expect(record.proof).toMatchObject({
      added: 0,
      removed: 0,
      changed: 0,
      bucketsDiffering: [],
      recount: "equal",
      redis: "none",
      file: undefined,
      liveVersion: 1,
      shadowVersion: 1,
    });
    expect(record.proof?.liveDigest).toBe(record.proof?.shadowDigest);
    expect(record.conductor).toBeUndefined();
    expect((await stage.serving(board)).generation).toBe(2);
    await expectSound(stage, board);
    expect(stage.notices.length).toBe(told);
  });

  test("of a history without events swaps in an empty one", async () => {
    await using stage = await staged([]);
    const record = await stage.conduct(board, await stage.start(board));
    expect(record).toMatchObject({ state: "swapped", proof: { liveRows: 0, shadowRows: 0 } });
    await stage.append(history(numbers));
    await expectSound(stage, board);
  });

  test("of one of two projections on a topic leaves the other alone", async () => {
    const projections = [board, tally] as ErasedEventProjection[];
    await using stage = await staged(withNotes(history(numbers)), projections);
    await stage.conduct(tally, await stage.start(tally));
    expect((await stage.serving(tally)).generation).toBe(2);
    expect((await stage.serving(board)).generation).toBe(1);
    await expectSound(stage, tally);
    await expectSound(stage, board);
  });

  test("where nobody works on what serves is proved where it stands", async () => {
    await using stage = await staged();
    await stage.stopWorkers();
    await stage.append(history(numbers.slice(0, 40)));
    const record = await stage.conduct(board, await stage.start(board));
    expect(record).toMatchObject({ state: "swapped", swapHeldMs: 0 });
    await stage.work([board]);
    await expectSound(stage, board);
  });

  test("finds rows that were planted by hand, refuses, and replaces them when accepted", async () => {
    await using stage = await staged();
    const rows = await stage.rowsOf(await stage.serving(board));
    const [changed, removed] = [...rows.keys()] as [string, string];
    await plant(stage, "stranger", { code: "stranger", size: 1, held: 0, moves: 0 });
    await plant(stage, changed, { ...rows.get(changed), held: 9_999 });
    await plant(stage, removed, undefined);
    const id = await stage.start(board);
    const conducting = stage.conduct(board, id);
    await whenState(stage, id, "proved");
    await stage.append(history(numbers.slice(0, 30)));
    await stage.clock.sleep(5_000);
    const proved = await stage.rebuilds.find(id);
    expect(proved).toMatchObject({ state: "proved", proof: { added: 1, removed: 1, changed: 1 } });
    expect(proved?.proof?.removedSamples).toEqual(["stranger"]);
    expect(proved?.proof?.addedSamples).toEqual([removed]);
    expect(proved?.proof?.fields).toMatchObject([{ field: "held", rows: 1 }]);
    expect(proved?.proof?.fields[0]?.samples[0]).toMatchObject({ key: changed, live: "9999" });
    expect(proved?.proof?.bucketsDiffering.length).toBeGreaterThan(0);
    expect(proved?.progress?.waiting).toMatch(/accepted/);
    expect(stage.differing.map(({ key }) => key).sort()).toEqual(
      [changed, removed, "stranger"].sort(),
    );
    expect((await stage.serving(board)).generation).toBe(1);
    await stage.rebuilds.wish(id, "run", { accept: true });
    expect((await conducting).state).toBe("swapped");
    await expectSound(stage, board);
  });

  test("is never swapped in when its own rows don't give its digest", async () => {
    await using stage = await staged();
    const id = await stage.start(board, { accept: true });
    const crashes = (point: string): boolean => {
      if (point !== "close-noted") return false;
      const shadow = stage.readModels.generations.get({ projection: "board", generation: 2 });
      shadow.rows.set("planted", { code: "planted", size: 1, held: 0, moves: 0 });
      return false;
    };
    const record = await stage.conduct(board, id, { crashes });
    expect(record).toMatchObject({ state: "failed", failure: { code: "recount-differs" } });
    expect((await stage.serving(board)).generation).toBe(1);
  });
});

describe("a rebuild under operators", () => {
  test("is paused, and goes on where it was", async () => {
    await using stage = await staged();
    const id = await stage.start(board);
    await stage.rebuilds.wish(id, "pause");
    const conducting = stage.conduct(board, id);
    await stage.clock.sleep(30_000);
    expect(await stage.rebuilds.find(id)).toMatchObject({
      state: "planned",
      progress: { waiting: "It is paused." },
    });
    await stage.rebuilds.wish(id, "run");
    expect((await conducting).state).toBe("swapped");
    await expectSound(stage, board);
  });

  test("is abandoned: its shadow goes, and what serves stays", async () => {
    await using stage = await staged();
    await plant(stage, "stranger", { code: "stranger", size: 1, held: 0, moves: 0 });
    const id = await stage.start(board);
    const conducting = stage.conduct(board, id);
    await whenState(stage, id, "proved");
    await stage.rebuilds.wish(id, "abandon");
    expect((await conducting).state).toBe("abandoned");
    await sweep(stage.environment(), signal);
    expect(await stage.generations.list("board")).toMatchObject([{ generation: 1 }]);
    expect((await stage.rebuilds.start(stage.request(board))).outcome).toBe("started");
  });

  test("is undone after new live writes, and no row goes back", async () => {
    await using stage = await staged();
    const id = await stage.start(board);
    await stage.conduct(board, id);
    await stage.append(history(numbers.slice(0, 50)));
    await stage.rebuilds.wish(id, "undo");
    const record = await stage.conduct(board, id);
    expect(record).toMatchObject({ state: "undone", failure: undefined });
    expect((await stage.serving(board)).generation).toBe(1);
    await expectSound(stage, board);
    await sweep(stage.environment(), signal);
    expect(await stage.generations.list("board")).toHaveLength(1);
  });

  test("is undone without anybody at work: the conductor brings the old one up", async () => {
    await using stage = await staged();
    const id = await stage.start(board);
    await stage.conduct(board, id);
    await stage.append(history(numbers.slice(0, 50)));
    await stage.caughtUp(board);
    await stage.stopWorkers();
    await stage.rebuilds.wish(id, "undo");
    expect((await stage.conduct(board, id)).state).toBe("undone");
    expect(await stage.rowsOf(await stage.serving(board))).toEqual(foldAll(board, stage.events));
  });

  test("can't be undone when the window is over, and says so", async () => {
    await using stage = await staged();
    const id = await stage.start(board, { keepMs: 5_000 });
    await stage.conduct(board, id);
    await stage.clock.sleep(6_000);
    const swept = await sweep(stage.environment(), signal);
    expect(swept.expired).toMatchObject([{ generation: 1 }]);
    expect(swept.removed).toMatchObject([{ generation: 1 }]);
    expect(await stage.rebuilds.wish(id, "undo")).toBe(false);
    await expectSound(stage, board);
  });

  test("whose wish to be undone came in time keeps what it goes back to", async () => {
    await using stage = await staged();
    const id = await stage.start(board, { keepMs: 5_000 });
    await stage.conduct(board, id);
    expect(await stage.rebuilds.wish(id, "undo")).toBe(true);
    await stage.clock.sleep(60_000);
    expect((await sweep(stage.environment(), signal)).expired).toEqual([]);
    expect((await stage.conduct(board, id)).state).toBe("undone");
  });
});

describe("a rebuild that can't go on", () => {
  const throwing = {
    ...board,
    version: 2,
    on: {
      ...board.on,
      Closed: () => {
        throw new Error("closings are not understood");
      },
    },
  } as ErasedEventProjection;

  test("stops at an old event that its definition throws on, names it, and leaves live alone", async () => {
    await using stage = await staged([
      happened(Opened, { code: "a", size: 3 }),
      happened(Closed, { code: "a" }),
      happened(Opened, { code: "a", size: 4 }),
    ]);
    const record = await stage.conduct(throwing, await stage.start(throwing));
    expect(record.state).toBe("failed");
    expect(record.failure?.message).toMatch(/counters\/\d.*closings are not understood/s);
    expect((await stage.serving(board)).generation).toBe(1);
    await expectSound(stage, board);
    await sweep(stage.environment(), signal);
    expect(await stage.generations.list("board")).toHaveLength(1);
  });

  test.each(["planned", "shadow-created", "shadow-noted"] as const)(
    "fails when retention takes what it hasn't read, after %s",
    async (at) => {
      await using stage = await staged();
      const crashes = (point: string): boolean => {
        const all = [0, 1, 2, 3].map((partition) => [partition, offset(5)] as const);
        if (point === at) void stage.log.deleteBefore("counters", new Map(all));
        return false;
      };
      const record = await stage.conduct(board, await stage.start(board), { crashes });
      expect(record).toMatchObject({ state: "failed", failure: { code: "history-gone" } });
      expect((await stage.serving(board)).generation).toBe(1);
    },
  );

  test("fails when retention overtakes it on its way", async () => {
    await using stage = await staged();
    let paces = 0;
    const environment = stage.environment();
    const log = Object.create(environment.log) as typeof environment.log;
    log.read = async function* (options) {
      for await (const fetch of stage.log.read(options)) {
        paces += 1;
        yield fetch;
        const gone = [0, 1, 2, 3].map((partition) => [partition, offset(30)] as const);
        if (paces === 12) await stage.log.deleteBefore("counters", new Map(gone));
      }
    };
    log.topics = () => stage.log.topics();
    log.bounds = (topic) => stage.log.bounds(topic);
    const conductor = new Conductor({ environment: { ...environment, log }, projection: board });
    const record = await conductor.conduct(await stage.start(board), signal);
    expect(record).toMatchObject({ state: "failed", failure: { code: "history-gone" } });
    expect((await stage.serving(board)).generation).toBe(1);
  });

  test("is refused while records of what serves are set aside", async () => {
    const failing = {
      ...board,
      on: {
        ...board.on,
        Closed: () => {
          throw new Error("never");
        },
      },
      onRecordError: "park",
    } as ErasedEventProjection;
    await using stage = await new RebuildStage().open();
    await stage.append([happened(Closed, { code: "a" }), happened(Moved, { code: "a", by: 1 })]);
    await stage.work([failing]);
    await stage.caughtUp(failing);
    const record = await stage.conduct(failing, await stage.start(failing));
    expect(record).toMatchObject({ state: "failed", failure: { code: "letters-open" } });
    expect(record.failure?.message).toMatch(/^2 records/);
  });
});

describe("a rebuild of a new version", () => {
  const wider = defineProjection({
    name: "board",
    version: 2,
    from: counters,
    row: { ...board.row, doubled: integer() },
    key: "code",
    on: {
      Opened: (_, e) => ({ code: e.code, size: e.size, held: 0, moves: 0, doubled: 0 }),
      Moved: (row, e) =>
        row && { ...row, held: row.held + e.by, moves: row.moves + 1, doubled: 2 * row.held },
      Closed: () => undefined,
    },
  });

  test("waits to be accepted, and tells which columns came", async () => {
    await using stage = await staged();
    const id = await stage.start(wider);
    const conducting = stage.conduct(wider, id);
    await whenState(stage, id, "proved");
    await stage.clock.sleep(3_000);
    const proved = await stage.rebuilds.find(id);
    expect(proved?.state).toBe("proved");
    expect(proved?.proof).toMatchObject({ columnsAdded: ["doubled"], changed: 0, liveVersion: 1 });
    await stage.work([wider]);
    await stage.rebuilds.wish(id, "run", { accept: true });
    expect((await conducting).state).toBe("swapped");
    await stage.append(history(numbers.slice(0, 20)));
    await expectSound(stage, wider);
  });

  test("goes to the log's end before it is swapped in where the old code is gone", async () => {
    await using stage = await staged();
    await stage.stopWorkers();
    await stage.append(history(numbers.slice(0, 60)));
    const record = await stage.conduct(wider, await stage.start(wider, { accept: true }));
    expect(record.state).toBe("swapped");
    const rows = await stage.rowsOf(await stage.serving(wider));
    expect(rows).toEqual(foldAll(wider, stage.events));
  });
});
