import { expect, test } from "vitest";

import { integer } from "../../engine/columns.ts";
import { preview, type PreviewAsk } from "../../engine/history/preview.ts";
import type { ErasedEventProjection } from "../../engine/projection.ts";
import { happened } from "../../engine/testing/given.ts";
import { board, Closed, Moved, Opened } from "../engine/seats.ts";
import { PastWorld } from "./past-world.ts";

type Row = Readonly<Record<string, number | string>>;

async function worldOfTest(): Promise<PastWorld> {
  const world = await PastWorld.open();
  await world.happen(
    happened(Opened, { code: "a", size: 3 }),
    happened(Opened, { code: "b", size: 4 }),
    happened(Moved, { code: "a", by: 2 }),
    happened(Moved, { code: "b", by: -1 }),
    happened(Opened, { code: "c", size: 5 }),
    happened(Closed, { code: "c" }),
  );
  await world.publish();
  return world;
}

async function previewed(changed: ErasedEventProjection, ask: Partial<PreviewAsk> = {}) {
  const world = await worldOfTest();
  const keys: string[] = [];
  const verdict = await preview(world.source, {
    current: board,
    changed,
    rowsMax: 100,
    onDifference: ({ key }) => keys.push(key),
    ...ask,
  });
  return { keys, ...verdict };
}

const changedBy = (change: Partial<ErasedEventProjection>): ErasedEventProjection => ({
  ...(board as ErasedEventProjection),
  ...change,
});

test("tells what a changed fold would make of history, row by row", async () => {
  const negativeOnly = changedBy({
    on: {
      ...board.on,
      Moved: (row: Row | undefined, e: { by: number }) =>
        row && { ...row, held: Number(row["held"]) + Math.min(0, e.by) },
      Closed: (row: Row | undefined) => row,
    },
  });
  const { keys, added, removed, changed, fields } = await previewed(negativeOnly);
  expect(keys).toEqual(["a", "b", "c"]);
  expect({ added, removed, changed }).toEqual({ added: 1, removed: 0, changed: 2 });
  expect(Object.fromEntries(fields)).toEqual({ held: 1, moves: 2 });
});

test("the same fold differs in nothing", async () => {
  const { keys, currentRows, changedRows } = await previewed(changedBy({ version: 2 }));
  expect(keys).toEqual([]);
  expect([currentRows, changedRows]).toEqual([2, 2]);
});

test("names the columns that only one of the two has, and compares the others", async () => {
  const row = { code: board.row.code, size: board.row.size, seats: integer() };
  const on = {
    Opened: (_: unknown, e: object) => ({ ...e, seats: 1 }),
    Moved: "ignore",
    Closed: () => undefined,
  };
  const { columns, changed, fields } = await previewed(changedBy({ row, on } as never));
  expect(columns.added).toEqual(["seats"]);
  expect(columns.removed).toEqual(["held", "moves"]);
  expect([changed, fields.size]).toEqual([0, 0]);
});

test("a fold that throws stops it and names the record", async () => {
  const on = {
    ...board.on,
    Moved: () => {
      throw new Error("no moves any more");
    },
  };
  await expect(previewed(changedBy({ on }))).rejects.toThrow(
    /counters\/\d.* offset \d+ threw: no moves any more/,
  );
});

test("more rows than may be held are refused by name", async () => {
  await expect(previewed(changedBy({}), { rowsMax: 1 })).rejects.toMatchObject({
    code: "history-too-large",
  });
});
