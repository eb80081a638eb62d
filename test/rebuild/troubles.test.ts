import { expect, test } from "vitest";

import { TransientError } from "../../engine/errors.ts";
import type { RebuildEnvironment } from "../../engine/rebuild/options.ts";
import { Conductor } from "../../engine/rebuild/conductor.ts";
import type { ErasedEventProjection } from "../../engine/projection.ts";
import { foldAll, happened } from "../../engine/testing/given.ts";
import { board, Closed, counters, history, Moved, Opened } from "../engine/seats.ts";
import { RebuildStage } from "./stage.ts";

const numbers = Array.from({ length: 80 }, (_, at) => (at * 7919) % 1009);
const { signal } = new AbortController();

async function staged(projection: ErasedEventProjection = board): Promise<RebuildStage> {
  const stage = await new RebuildStage().open();
  await stage.append(history(numbers));
  await stage.work([projection]);
  await stage.caughtUp(projection);
  return stage;
}

async function conducted(stage: RebuildStage, over: Partial<RebuildEnvironment>, id: bigint) {
  const environment = stage.environment(over);
  return new Conductor({ environment, projection: board }).conduct(id, signal);
}

/** An object's methods with some of them replaced. */
function replaced<Port extends object>(port: Port, methods: Partial<Port>): Port {
  return new Proxy(port, {
    get: (target, name) => {
      const found: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof found === "function" ? (found.bind(target) as unknown) : found;
    },
  });
}

test("an outage is waited out, told meanwhile, and nothing is lost", async () => {
  await using stage = await staged();
  let away = true;
  const log = replaced(stage.environment().log, {
    bounds: async (topic) => {
      if (away) throw new TransientError("connection", "The log is away.");
      return stage.log.bounds(topic);
    },
  });
  const id = await stage.start(board);
  const conducting = conducted(stage, { log }, id);
  await stage.clock.sleep(30_000);
  expect((await stage.rebuilds.find(id))?.progress?.waiting).toBe("connection: The log is away.");
  away = false;
  const record = await conducting;
  expect(record).toMatchObject({ state: "swapped" });
  expect(record?.progress?.waiting).toBeUndefined();
});

test("tasks that don't stand still are asked again and again, and live work goes on between", async () => {
  await using stage = await staged();
  let deafHolds = 3;
  const generations = replaced(stage.generations, {
    standing: async (hold) => {
      const [standing] = [await stage.generations.standing(hold)];
      return deafHolds > 0 ? standing.slice(1) : standing;
    },
    release: async (hold) => {
      deafHolds -= 1;
      return stage.generations.release(hold);
    },
  });
  const id = await stage.start(board);
  const conducting = conducted(stage, { generations }, id);
  await stage.until("it is told who doesn't stand", async () => {
    const waiting = (await stage.rebuilds.find(id))?.progress?.waiting;
    return waiting?.includes("counters/0") ?? false;
  });
  await stage.append(history(numbers.slice(0, 30)));
  await stage.caughtUp(board);
  expect(await conducting).toMatchObject({ state: "swapped" });
  const rows = await stage.rowsOf(await stage.serving(board));
  expect(rows).toEqual(foldAll(board, stage.events));
});

test("a live generation that moves on although it was held isn't compared", async () => {
  await using stage = await staged();
  let leaks = 0;
  const comparisons = replaced(stage.comparisons, {
    within: async (of, work) => {
      if (leaks < 2) {
        leaks += 1;
        for (const { id } of await stage.generations.holds()) await stage.generations.release(id);
        await stage.append([happened(Opened, { code: "a", size: leaks })]);
        await stage.caughtUp(board);
      }
      return stage.comparisons.within(of, work);
    },
  });
  const record = await conducted(stage, { comparisons }, await stage.start(board));
  expect(leaks).toBe(2);
  expect(record).toMatchObject({ state: "swapped", proof: { changed: 0, added: 0, removed: 0 } });
});

const looks = ["compare", "recount"] as const;
const verdicts = ["equal", "differs", "behind"] as const;
const lookedAt = looks.flatMap((look) => verdicts.map((verdict) => [look, verdict] as const));

test.each(lookedAt)("a second store whose %s says that it %s", async (look, verdict) => {
  await using stage = await staged();
  const asked: number[] = [];
  const says = (of: (typeof looks)[number]) => async (told: { readonly generation: number }) => {
    if (of === look) asked.push(told.generation);
    return of === look && told.generation === 2 ? verdict : ("equal" as const);
  };
  const secondStore = { compare: says("compare"), recount: says("recount") };
  const id = await stage.start(board);
  const conducting = conducted(stage, { secondStore }, id);
  await stage.until("proved", async () => {
    return (await stage.rebuilds.find(id))?.proof !== undefined;
  });
  await stage.clock.sleep(10_000);
  const record = await stage.rebuilds.find(id);
  expect(record?.proof?.redis).toBe(verdict);
  expect(record?.state).toBe(verdict === "differs" ? "proved" : "swapped");
  expect(new Set(asked)).toEqual(new Set([1, 2]));
  await stage.rebuilds.wish(id, "run", { accept: true });
  expect((await conducting)?.state).toBe("swapped");
});

test("a record that operators have discarded is left out of the rebuild, too", async () => {
  const picky = {
    ...board,
    onRecordError: "park",
    on: {
      ...board.on,
      Moved: (row: { held: number; moves: number } | undefined, e: { by: number }) => {
        if (e.by === 99) throw new Error("99 is too much");
        return row && { ...row, held: row.held + e.by, moves: row.moves + 1 };
      },
    },
  } as unknown as ErasedEventProjection;
  await using stage = await new RebuildStage().open();
  const events = [
    happened(Opened, { code: "a", size: 1 }),
    happened(Moved, { code: "a", by: 99 }),
    happened(Moved, { code: "a", by: 2 }),
    happened(Closed, { code: "b" }),
  ];
  await stage.append(events);
  await stage.work([picky]);
  await stage.caughtUp(picky);
  await stage.deadLetters.order({ letters: {}, action: "discard", by: "test", reason: "typo" });
  await stage.until("it is discarded", async () => {
    return (await stage.deadLetters.parked({ ...placeOfA(stage), generation: 1 })).length === 0;
  });
  const record = await stage.conduct(picky, await stage.start(picky));
  expect(record).toMatchObject({ state: "swapped" });
  const rows = await stage.rowsOf(await stage.serving(picky));
  expect(rows.get("a")).toMatchObject({ held: 2, moves: 1 });
});

function placeOfA(stage: RebuildStage) {
  const [append] = stage.journal.encode(counters, [happened(Closed, { code: "a" })]);
  return { consumer: "board", topic: "counters", partition: append?.partition ?? 0 };
}

test("an undo to a version whose code nobody has lets live work go on, says what it waits for, and is done when the code is back", async () => {
  await using stage = await staged();
  const next = { ...board, version: 2 };
  await stage.work([next]);
  const id = await stage.start(next, { accept: true });
  expect((await stage.conduct(next, id)).state).toBe("swapped");
  await stage.stopWorker();
  await stage.clock.sleep(3_000);
  let holds = 0;
  const generations = replaced(stage.generations, {
    hold: (of, forMs) => {
      holds += 1;
      return stage.generations.hold(of, forMs);
    },
  });
  await stage.rebuilds.wish(id, "undo");
  const environment = stage.environment({ generations });
  const conducting = new Conductor({ environment, projection: next }).conduct(id, signal);
  await stage.clock.sleep(30_000);
  const waiting = (await stage.rebuilds.find(id))?.progress?.waiting;
  expect(waiting).toMatch(/Nobody works on generation 1 of board \(version 1\)/);
  expect(holds).toBe(0);
  await stage.work([board]);
  expect(await conducting).toMatchObject({ state: "undone", failure: undefined });
  expect((await stage.serving(board)).generation).toBe(1);
});

test("an undo needs nobody with the new code, where a deployment was rolled back", async () => {
  await using stage = await staged();
  const next = { ...board, version: 2 };
  await stage.work([next]);
  const id = await stage.start(next, { accept: true });
  // Nobody else than its own code fills it.
  const stranger = new Conductor({ environment: stage.environment(), projection: board });
  await expect(stranger.conduct(id, signal)).rejects.toThrow(/is of board in version 2/);
  await stage.clock.sleep(1_000);
  expect((await stage.conduct(next, id)).state).toBe("swapped");
  await stage.stopWorkers();
  await stage.work([board]);
  await stage.append(history(numbers.slice(0, 30)));
  await stage.rebuilds.wish(id, "undo");
  expect(await stage.conduct(board, id)).toMatchObject({ state: "undone", failure: undefined });
  await stage.caughtUp(board);
  expect(await stage.rowsOf(await stage.serving(board))).toEqual(foldAll(board, stage.events));
});
