import { expect, test } from "vitest";

import type { ErasedEventProjection } from "../../engine/projection.ts";
import { happened } from "../../engine/testing/given.ts";
import { board, Closed, counters, Moved, Opened } from "../engine/seats.ts";
import { RebuildStage } from "../rebuild/stage.ts";

interface Row {
  readonly code: string;
  readonly size: number;
  readonly held: number;
  readonly moves: number;
}

/** 99 is too much for it. */
const picky = {
  ...board,
  onRecordError: "park",
  on: {
    ...board.on,
    Moved: (row: Row | undefined, { by }: { readonly by: number }) => {
      if (by === 99) throw new RangeError("99 is too much.");
      return row && { ...row, held: row.held * 10 + by, moves: row.moves + 1 };
    },
  },
} as unknown as ErasedEventProjection;

/** A record that fails and one behind it, of which the first was edited and both were redriven. */
async function redriven(): Promise<RebuildStage> {
  const stage = await new RebuildStage().open();
  await stage.append([
    happened(Opened, { code: "a", size: 1 }),
    happened(Moved, { code: "a", by: 1 }),
    happened(Moved, { code: "a", by: 99 }),
    happened(Moved, { code: "a", by: 4 }),
    happened(Closed, { code: "b" }),
  ]);
  await stage.work([picky]);
  await stage.caughtUp(picky);
  const { deadLetters, codec } = stage;
  const [failed] = await deadLetters.list({ disposition: "failed", limit: 1 });
  if (failed === undefined) throw new Error("99 is set aside.");
  const value = codec.encode(counters, Moved, { code: "a", by: 9 });
  expect(await deadLetters.edit(failed.id, { value, by: "ann", reason: "typo" })).toBe("edited");
  await deadLetters.order({ letters: {}, action: "redrive", by: "ann", reason: "typo" });
  await stage.until("both are redriven", async () => {
    return (await deadLetters.list({ disposition: "redriven", limit: 3 })).length === 2;
  });
  return stage;
}

test("an edited letter is redriven as it was edited, in its key's order", async () => {
  await using stage = await redriven();
  const rows = await stage.rowsOf(await stage.serving(picky));
  expect(rows.get("a")).toMatchObject({ held: 194, moves: 3 });
  const [letter] = await stage.deadLetters.list({ edited: true, limit: 2 });
  expect(letter).toMatchObject({ disposition: "redriven", edit: { by: "ann", reason: "typo" } });
  // What the log has stays beside what was applied.
  expect(letter?.value).not.toEqual(letter?.edit?.value);
});

test("a rebuild folds what was applied: it is proved equal, and swapped in", async () => {
  await using stage = await redriven();
  const record = await stage.conduct(picky, await stage.start(picky));
  expect(record).toMatchObject({ state: "swapped", proof: { changed: 0, added: 0, removed: 0 } });
  const rows = await stage.rowsOf(await stage.serving(picky));
  expect(rows.get("a")).toMatchObject({ held: 194, moves: 3 });
});
