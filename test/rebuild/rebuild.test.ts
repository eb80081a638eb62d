import { describe, expect, test } from "vitest";

import { foldAll } from "../../engine/testing/given.ts";
import { board, history } from "../engine/seats.ts";
import { RebuildStage } from "./stage.ts";

const numbers = Array.from({ length: 150 }, (_, at) => (at * 7919) % 1009);

describe("a rebuild", () => {
  test("fills a shadow, proves it equal and swaps it in", async () => {
    await using stage = await new RebuildStage().open();
    await stage.append(history(numbers));
    await stage.work([board]);
    await stage.caughtUp(board);
    const id = await stage.start(board);
    const record = await stage.conduct(board, id);
    expect(record).toMatchObject({ state: "swapped", failure: undefined, shadow: 2 });
    expect(record.proof).toMatchObject({ added: 0, removed: 0, changed: 0, recount: "equal" });
    const serving = await stage.serving(board);
    expect(serving.generation).toBe(2);
    await stage.caughtUp(board);
    expect(await stage.rowsOf(serving)).toEqual(foldAll(board, stage.events));
  });
});
