import { expect, test } from "vitest";

import { Tail, type TailBatch } from "../../connectors/postgres/record-log/tail.ts";
import { offset } from "../../engine/position.ts";

const bytesOf = (name: string): Buffer => Buffer.from(name.padEnd(10, "."));

/** Batches of ten bytes that follow one another, of so many records each. */
function batches(from: number, ...records: readonly number[]): TailBatch[] {
  let at = from;
  return records.map((count) => {
    const baseOffset = at;
    at += count;
    return { baseOffset, nextOffset: at, bytes: bytesOf(`${baseOffset}`) };
  });
}

const boundsTo = (end: number) => ({ partition: 0, start: offset(0n), end: offset(BigInt(end)) });

function tailAt(end: number, limits = { bytesMax: 100, ageMaxMs: 1_000 }) {
  const tail = new Tail(limits);
  const take = (to: number, found: readonly TailBatch[], nowMs = 0) =>
    tail.take({ topicNumber: 7, partition: 0, bounds: boundsTo(to), batches: found }, nowMs);
  const ahead = (at: number, { bytesMax = 1_000, nowMs = 0 } = {}) =>
    tail.ahead({ topicNumber: 7, next: new Map([[0, at]]), bytesMax }, nowMs);
  take(end, []);
  return { tail, take, ahead };
}

const texts = (found: ReturnType<ReturnType<typeof tailAt>["ahead"]>) =>
  found.state === "here"
    ? found.answer.fetched.map(({ bytes, nextOffset }) => `${bytes.toString()}>${nextOffset}`)
    : found.state;

test("a reader gets what follows its offset, from the batch that holds it", () => {
  const { take, ahead } = tailAt(10);
  expect(ahead(10).state).toBe("nothing");
  take(15, batches(10, 2, 3));
  expect(texts(ahead(10))).toEqual(["10........12........>15"]);
  expect(texts(ahead(11))).toEqual(["10........12........>15"]);
  expect(texts(ahead(13))).toEqual(["12........>15"]);
  expect(ahead(15).state).toBe("nothing");
  expect(ahead(9).state).toBe("elsewhere");
});

test("a reader's own limit counts whole batches, and at least one", () => {
  const { take, ahead } = tailAt(0);
  take(3, batches(0, 1, 1, 1));
  expect(texts(ahead(0, { bytesMax: 25 }))).toEqual(["0.........1.........>2"]);
  expect(texts(ahead(0, { bytesMax: 1 }))).toEqual(["0.........>1"]);
});

test.each([
  ["something is missing before the first", 15, batches(11, 4)],
  ["something is missing between two", 15, [...batches(10, 2), ...batches(13, 2)]],
  ["not all was brought", 15, batches(10, 2)],
  ["nothing was brought", 15, []],
  ["the end has gone back", 8, []],
])("where %s, readers fetch, and what comes next is the tail again", (_, to, found) => {
  const { tail, take, ahead } = tailAt(10);
  take(to, found);
  if (to > 10) expect(ahead(10).state).toBe("elsewhere");
  expect(tail.endOf(7, 0)).toBe(to);
  take(to + 1, batches(to, 1));
  expect(ahead(to)).toMatchObject({ state: "here" });
});

test("the oldest batches make room, of all partitions", () => {
  const { tail, take, ahead } = tailAt(0, { bytesMax: 30, ageMaxMs: 1_000 });
  take(2, batches(0, 1, 1));
  const other = { topicNumber: 7, partition: 1 };
  tail.take({ ...other, bounds: { ...boundsTo(0), partition: 1 }, batches: [] }, 0);
  tail.take({ ...other, bounds: { ...boundsTo(2), partition: 1 }, batches: batches(0, 1, 1) }, 0);
  expect(ahead(0).state).toBe("elsewhere");
  expect(texts(ahead(1))).toEqual(["1.........>2"]);
});

test("a batch is given for a while", () => {
  const { take, ahead } = tailAt(0);
  take(1, batches(0, 1), 5_000);
  expect(ahead(0, { nowMs: 6_000 }).state).toBe("here");
  expect(ahead(0, { nowMs: 6_001 }).state).toBe("elsewhere");
});

test("partitions that were never looked at, are gone or were left are told apart", () => {
  const { tail, take, ahead } = tailAt(10);
  expect(tail.ahead({ topicNumber: 7, next: new Map([[1, 0]]), bytesMax: 1 }, 0).state).toBe(
    "unknown",
  );
  tail.take({ topicNumber: 7, partition: 0, bounds: undefined, batches: [] }, 0);
  expect(ahead(10).state).toBe("elsewhere");
  take(10, []);
  tail.leave(7);
  expect(ahead(10).state).toBe("unknown");
});
