import { expect, test } from "vitest";

import { integer, text } from "../../engine/columns.ts";
import { MemoryProcessorStore } from "../../engine/memory/processor-store.ts";
import type { DeadLetter } from "../../engine/ports/dead-letters.ts";
import { offset, sequence } from "../../engine/position.ts";
import { defineProcessor } from "../../engine/processor.ts";
import { tryRedrive } from "../../engine/runner/letter-trials.ts";
import { processorModelOf } from "../../engine/task/processor-task-store.ts";
import { defineProjection } from "../../engine/projection.ts";
import { happened } from "../../engine/testing/given.ts";
import { counters, Moved } from "../engine/seats.ts";
import { RebuildStage } from "../rebuild/stage.ts";

const order = { action: "redrive", by: "ann", reason: "mended" } as const;

/** Thirteen is understood when it is mended; fourteen never. */
const trailsOf = (fold: { mended: boolean }) =>
  defineProjection({
    name: "trails",
    version: 1,
    from: counters,
    row: { trail: text() },
    key: "code",
    onRecordError: "park",
    on: {
      Opened: "ignore",
      Moved: (row, { by }) => {
        if (by === 14 || (by === 13 && !fold.mended)) throw new RangeError(`${by} is too much.`);
        return { trail: `${row?.trail ?? ""} ${by}` };
      },
      Closed: "ignore",
    },
  });

const totals = defineProcessor({
  name: "totals",
  from: counters,
  state: { total: integer() },
  key: "code",
  on: {
    Opened: "ignore",
    Moved: (state, { by }) => {
      if (by === 14) throw new RangeError("Too much.");
      return { total: (state?.total ?? 0) + by };
    },
    Closed: "ignore",
  },
});

/** Letters of three keys: a with one that fails later on, b with one that works, c that never does. */
async function parked() {
  const fold = { mended: false };
  const projection = trailsOf(fold);
  const stage = await new RebuildStage().open();
  const moves = [
    ["a", 1],
    ["a", 13],
    ["a", 2],
    ["a", 14],
    ["a", 3],
    ["b", 13],
    ["c", 14],
    ["c", 4],
  ] as const;
  await stage.append(moves.map(([code, by]) => happened(Moved, { code, by })));
  await stage.work([projection]);
  await stage.caughtUp(projection);
  const processorStore = new MemoryProcessorStore({ appendAll: () => [] });
  await processorStore.open(processorModelOf(totals));
  const { codec, deadLetters, generations, readModels } = stage;
  const stores = { codec, deadLetters, generations, readModels, processorStore };
  const definitions = { projections: [projection], processors: [totals] };
  const trial = (criteria = {}, lettersMax = 100) =>
    tryRedrive({ ...stores, ...definitions }, criteria, lettersMax);
  const stored = async () => ({
    rows: await stage.rowsOf(await stage.serving(projection)),
    letters: await stage.deadLetters.list({ limit: 100 }),
  });
  return { stage, fold, trial, stored };
}

test("a trial tells what would work, with what waits behind, and what fails of what", async () => {
  const { stage, fold, trial } = await parked();
  await using _ = stage;
  const before = await trial();
  expect(before).toMatchObject({ tried: 3, wouldWork: 0, untried: 0, more: false });
  fold.mended = true;
  const after = await trial();
  expect(after).toMatchObject({ tried: 5, wouldWork: 3, untried: 0, more: false });
  const fault = { cause: "fold", message: expect.stringContaining("14 is too much.") as string };
  const told = after.wouldFail.map(({ letter, ...one }) => [letter.disposition, one.fault]);
  expect(told).toHaveLength(2);
  expect(told).toEqual(
    expect.arrayContaining([
      ["failed", fault],
      ["waiting", fault],
    ]),
  );
});

test("a trial writes nothing, and the redrive comes to what it has told", async () => {
  const { stage, fold, trial, stored } = await parked();
  await using _ = stage;
  fold.mended = true;
  const before = await stored();
  const told = await trial();
  expect(await stored()).toEqual(before);
  expect(await trial()).toEqual(told);
  await stage.deadLetters.order({ letters: {}, ...order });
  await stage.until("it is answered", async () => {
    const { unanswered } = (await stage.deadLetters.findOrder(1n)) ?? {};
    return unanswered === 0;
  });
  const { rows, letters } = await stored();
  expect(rows).toEqual(
    new Map([
      ["a", { trail: " 1 13 2" }],
      ["b", { trail: " 13" }],
    ]),
  );
  expect(letters.filter(({ disposition }) => disposition === "redriven")).toHaveLength(
    told.wouldWork,
  );
  const failed = letters.filter(({ disposition }) => disposition === "failed");
  expect(failed.map(({ id }) => id)).toEqual(told.wouldFail.map(({ letter }) => letter.id));
});

test("a trial takes an edited value, keeps to the criteria and to its bound", async () => {
  const { stage, trial } = await parked();
  await using _ = stage;
  const [ofC] = await stage.deadLetters.list({ key: Buffer.from("c"), limit: 1 });
  const value = stage.codec.encode(counters, Moved, { code: "c", by: 5 });
  await stage.deadLetters.edit(ofC?.id ?? 0n, { value, by: "ann", reason: "typo" });
  expect(await trial({ key: Buffer.from("c") })).toMatchObject({ tried: 2, wouldWork: 2 });
  expect(await trial({}, 1)).toMatchObject({ tried: 1, more: true });
});

test("letters without a key, of a processor, and of consumers that are gone are told apart", async () => {
  const { stage, trial } = await parked();
  await using _ = stage;
  const letter = (at: number, over: Partial<DeadLetter>): DeadLetter => ({
    consumer: "totals",
    generation: 0,
    topic: counters.name,
    partition: 0,
    offset: offset(at),
    source: { kind: "lane", incarnation: "i-1", sequence: sequence(at) },
    timestampMs: 0,
    key: null,
    value: stage.codec.encode(counters, Moved, { code: "k", by: at }),
    headers: [],
    disposition: "failed",
    cause: "fold",
    message: "Too much.",
    stack: undefined,
    ...over,
  });
  stage.deadLetters.add([letter(13, {}), letter(14, {}), letter(15, {})]);
  stage.deadLetters.add([letter(1, { consumer: "gone" })]);
  stage.deadLetters.add([letter(2, { consumer: "trails", generation: 7 })]);
  expect(await trial({ consumer: "totals" })).toMatchObject({
    tried: 3,
    wouldWork: 2,
    wouldFail: [{ letter: { offset: 14n }, fault: { cause: "fold" } }],
  });
  expect(await trial({ consumer: "gone" })).toMatchObject({ tried: 0, untried: 1 });
  expect(await trial({ generation: 7 })).toMatchObject({ tried: 0, untried: 1 });
});
