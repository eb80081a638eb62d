import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { integer, text } from "../../engine/columns.ts";
import type {
  Generation,
  ReadModelFlush,
  ReadModelStore,
} from "../../engine/ports/read-model-store.ts";
import { fencingConformance } from "./read-model-fencing.ts";
import { readModelReaderConformance } from "./read-model-reader.ts";
import { claimTwo, flushOf, type ReadModelSubject } from "./read-model-subject.ts";
import {
  advance,
  at,
  changeAt,
  deadLetter,
  everyKind,
  everyKindRows,
  laneAt,
  offsetAt,
  places,
  readModel,
  parkedKeys,
} from "./store-samples.ts";

export function readModelStoreConformance(
  adapter: string,
  make: () => Promise<ReadModelSubject>,
): void {
  describe(`read-model store, ${adapter}`, () => {
    let subject: ReadModelSubject;
    beforeAll(async () => {
      subject = await make();
    });
    afterAll(() => subject[Symbol.asyncDispose]());
    opening(() => subject);
    flushing(() => subject);
    fencingConformance(() => subject);
    readModelReaderConformance(() => subject);
  });
}

function opening(subject: () => ReadModelSubject): void {
  test("opening twice gives the same serving generation", async () => {
    const model = readModel();
    const first = await subject().store.open(model);
    expect(first).toEqual({
      projection: model.projection,
      generation: 1,
      version: 1,
      serving: true,
    });
    expect(await subject().store.open(model)).toEqual(first);
  });

  test("opening at the same moment makes one generation", async () => {
    const model = readModel();
    const opened = await Promise.all([1, 2, 3, 4].map(() => subject().store.open(model)));
    expect(opened.map(({ generation }) => generation)).toEqual([1, 1, 1, 1]);
  });

  test("another version is refused by name", async () => {
    const model = readModel();
    await subject().store.open(model);
    const opening = subject().store.open({ ...model, version: 2 });
    await expect(opening).rejects.toMatchObject({ code: "version-differs" });
  });

  test.each([
    ["a column more", { ...readModel().columns, more: text() }, /more \(text\) isn't stored/],
    ["a column less", { moduleCode: text() }, /held is stored and no longer declared/],
    ["another type", { moduleCode: text(), held: text() }, /stored as integer .*declared as text/],
  ])("%s in the same version is refused with the difference", async (_, columns, message) => {
    const model = readModel();
    await subject().store.open(model);
    const opening = subject().store.open({ ...model, columns });
    await expect(opening).rejects.toMatchObject({ code: "columns-differ" });
    await expect(opening).rejects.toThrow(message);
  });

  test("columns in another order are the same columns", async () => {
    const model = readModel();
    await subject().store.open(model);
    const reordered = { held: integer(), moduleCode: text() };
    expect((await subject().store.open({ ...model, columns: reordered })).generation).toBe(1);
  });
}

function flushing(subject: () => ReadModelSubject): void {
  test("a flush keeps rows, digests, letters and positions together", async () => {
    const { store, deadLetters } = subject();
    const model = readModel();
    const generation = await store.open(model);
    const [p0, p1] = await claimTwo(store, generation);
    expect(p0.position).toBeUndefined();
    await store.flush(
      flushOf(generation, {
        advances: [advance(p1, laneAt(5)), advance(p0, laneAt(3))],
        rows: [
          { key: "M1", partition: 0, row: { moduleCode: "M1", held: 1 } },
          { key: "M2", partition: 1, row: { moduleCode: "M2", held: 2 } },
        ],
        digests: [{ bucket: 9, hash: 2n ** 64n - 1n, rows: 2 }],
        deadLetters: [deadLetter(model.projection)],
      }),
    );
    expect(await store.load(generation, ["M2", "M3", "M1"])).toEqual(
      new Map([
        ["M1", { moduleCode: "M1", held: 1 }],
        ["M2", { moduleCode: "M2", held: 2 }],
      ]),
    );
    expect(await store.digests(generation)).toEqual(
      new Map([[9, { hash: 2n ** 64n - 1n, rows: 2 }]]),
    );
    if (deadLetters) {
      expect(await parkedKeys(deadLetters, model.projection)).toEqual(new Set(["M1"]));
    }
    const positions = await store.positions(generation);
    expect(positions.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
    expect(positions.map(({ position }) => position)).toEqual([
      laneAt(3),
      laneAt(5),
      undefined,
      undefined,
    ]);
  });

  test("digests add up modulo 2^64, and empty buckets vanish", async () => {
    const { store } = subject();
    const generation = await store.open(readModel());
    const add = (digests: ReadModelFlush["digests"]) =>
      store.flush(flushOf(generation, { digests }));
    await add([
      { bucket: 1, hash: 2n ** 64n - 1n, rows: 1 },
      { bucket: 2, hash: 2n ** 63n, rows: 1 },
      { bucket: 3, hash: 77n, rows: 1 },
    ]);
    await add([
      { bucket: 2, hash: 2n ** 63n + 2n ** 32n, rows: 1 },
      { bucket: 2, hash: 5n, rows: 1 },
      { bucket: 1, hash: 3n, rows: 0 },
      { bucket: 3, hash: 2n ** 64n - 77n, rows: -1 },
    ]);
    expect([...(await store.digests(generation))]).toEqual([
      [1, { hash: 2n, rows: 1 }],
      [2, { hash: 2n ** 32n + 5n, rows: 3 }],
    ]);
  });

  test("a row is replaced, deleted, and made again", async () => {
    const { store } = subject();
    const generation = await store.open(readModel());
    const put = (held: number | undefined) => {
      const row = held === undefined ? undefined : { moduleCode: "M1", held };
      return store.flush(flushOf(generation, { rows: [{ key: "M1", partition: 0, row }] }));
    };
    const held = async () => (await store.load(generation, ["M1"])).get("M1")?.["held"];
    await put(1);
    await put(2);
    expect(await held()).toBe(2);
    await put(undefined);
    expect(await held()).toBeUndefined();
    await put(3);
    expect(await held()).toBe(3);
  });

  test.each([1, 200])(
    "a row that is new to its writer and there all the same is replaced, with %i others",
    async (others) => {
      const { store } = subject();
      const generation = await store.open(readModel());
      const row = (key: string, held: number) => {
        return { key, partition: 0, row: { moduleCode: key, held }, isUpdate: false };
      };
      const flush = (rows: ReadModelFlush["rows"]) =>
        store.flush(flushOf(generation, { rows, digests: [{ bucket: 1, hash: 5n, rows: 1 }] }));
      await flush([row("M", 1)]);
      const keys = Array.from({ length: others }, (_, index) => `M${index}`);
      await flush([row("M", 2), ...keys.map((key) => row(key, 3))]);
      const held = await store.load(generation, ["M", ...keys]);
      expect(held.get("M")?.["held"]).toBe(2);
      expect(keys.map((key) => held.get(key)?.["held"])).toEqual(keys.map(() => 3));
      expect([...(await store.digests(generation))]).toEqual([[1, { hash: 10n, rows: 2 }]]);
    },
  );

  test("every kind of value comes back as it went in", async () => {
    const { store } = subject();
    const generation = await store.open(readModel({ columns: everyKind }));
    const rows = everyKindRows();
    await store.flush(
      flushOf(generation, {
        rows: rows.map((row, index) => ({ key: `k${index}`, partition: 0, row })),
      }),
    );
    const keys = rows.map((_, index) => `k${index}`);
    const loaded = await store.load(generation, keys);
    expect(keys.map((key) => loaded.get(key))).toEqual(rows);
  });

  test.each([
    ["a NUL character", { plainText: "a\0b" }, /plainText .* NUL/],
    ["half of a surrogate pair", { plainText: "\ud800" }, /plainText .* surrogate/],
    ["a number above 32 bits", { wholeNumber: 2 ** 31 }, /wholeNumber .* 32 bits/],
    ["a bigint above 64 bits", { largeNumber: 2n ** 63n }, /largeNumber .* 64 bits/],
    ["a missing value", { flag: undefined }, /flag .* undefined/],
    ["null where it isn't allowed", { ratio: null }, /ratio .* null/],
    ["half a millisecond", { seenAt: 0.5 }, /seenAt .* milliseconds/],
    ["NUL inside JSON", { details: { a: "\0" } }, /details .* NUL/],
  ])("%s is refused with key and column, and nothing is written", async (_, wrong, message) => {
    const { store } = subject();
    const generation = await store.open(readModel({ columns: everyKind }));
    const good = at(everyKindRows(), 0);
    const flushing = store.flush(
      flushOf(generation, {
        rows: [
          { key: "good", partition: 0, row: good },
          { key: "bad", partition: 0, row: { ...good, ...wrong } },
        ],
      }),
    );
    await expect(flushing).rejects.toMatchObject({ code: "row-unfit" });
    await expect(flushing).rejects.toThrow(message);
    expect((await store.load(generation, ["good", "bad"])).size).toBe(0);
  });

  test("positions of every kind of source come back as they went in", async () => {
    const { store } = subject();
    const generation = await store.open(readModel());
    const owned = await store.claim(generation, places(0, 1, 2));
    const ends = [laneAt(4), changeAt(5), offsetAt(6)];
    const advances = owned.map((of, index) => advance(of, at(ends, index)));
    await store.flush(flushOf(generation, { advances }));
    const again = await store.claim(generation, places(0, 1, 2));
    expect(again.map(({ position }) => position)).toEqual(ends);
  });

  test("what the caller changes afterwards changes nothing stored", async () => {
    const { store } = subject();
    const generation = await store.open(readModel({ columns: everyKind }));
    const details = { list: [1] };
    const row = { ...at(everyKindRows(), 0), details };
    await store.flush(flushOf(generation, { rows: [{ key: "k", partition: 0, row }] }));
    details.list.push(2);
    const load = async () => (await store.load(generation, ["k"])).get("k")?.["details"];
    expect(await load()).toEqual({ list: [1] });
    ((await load()) as { list: number[] }).list.push(3);
    expect(await load()).toEqual({ list: [1] });
  });

  test("a scan gives all rows in order of their keys' bytes", async () => {
    const { store } = subject();
    const generation = await store.open(readModel());
    const keys = ["b", "a", "Z", "\u{1F600}", "\uFB01", "é", ""];
    const rows = keys.map((key) => ({ key, partition: 0, row: { moduleCode: key, held: 0 } }));
    await store.flush(flushOf(generation, { rows }));
    const seen: string[] = [];
    for await (const page of store.scan(generation)) seen.push(...page.map(({ key }) => key));
    expect(seen).toEqual(["", "Z", "a", "b", "é", "\uFB01", "\u{1F600}"]);
  });

  test("a new generation is filled apart from the one that serves", async () => {
    const { store, reader, generations } = subject();
    const model = readModel();
    const { projection } = model;
    const first = await store.open(model);
    const second = await generations.create({ ...model, version: 2 }, {}, 1n);
    expect(second).toMatchObject({ generation: 2, version: 2, serving: false });
    await putOne(store, first, 1);
    await putOne(store, second, 2);
    expect((await reader.get(model.projection, "M1")).result).toMatchObject({ held: 1 });
    const swap = { from: 1, to: 2, condition: "level", keepMs: 60_000 } as const;
    expect(await generations.swap({ projection, ...swap })).toMatchObject({ outcome: "swapped" });
    const answer = await reader.get(model.projection, "M1");
    expect(answer).toMatchObject({ generation: 2, result: { held: 2 } });
    await expect(store.open(model)).rejects.toMatchObject({ code: "version-differs" });
    expect(await store.open({ ...model, version: 2 })).toEqual({ ...second, serving: true });
  });
}

async function putOne(store: ReadModelStore, generation: Generation, held: number): Promise<void> {
  const row = { moduleCode: "M1", held };
  await store.flush(flushOf(generation, { rows: [{ key: "M1", partition: 0, row }] }));
}
