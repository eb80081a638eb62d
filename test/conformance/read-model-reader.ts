import { expect, test } from "vitest";

import { double, integer, json, nullable, text } from "../../engine/columns.ts";
import type {
  CountRows,
  FindRows,
  Page,
  ReadModelReader,
} from "../../engine/ports/read-model-reader.ts";
import type { Generation, ReadModelStore } from "../../engine/ports/read-model-store.ts";
import { flushOf, type ReadModelSubject } from "./read-model-subject.ts";
import { advance, at, laneAt, places, readModel, topic } from "./store-samples.ts";

const columns = {
  name: text(),
  rank: nullable(integer()),
  score: nullable(double()),
  extra: nullable(json<unknown>()),
};

const ranks = [3, null, 1, 2, 1, null, 3, 2, 2, 1, -5];

async function filled(store: ReadModelStore): Promise<Generation> {
  const generation = await store.open(
    readModel({ columns, indexes: [["rank"], ["name", "rank"]] }),
  );
  const rows = ranks.map((rank, index) => ({
    key: `k${String(index).padStart(2, "0")}`,
    partition: 0,
    row: {
      name: index % 2 === 0 ? "even" : "odd",
      rank,
      score: index === 4 ? Number.NaN : index / 2,
      extra: null,
    },
  }));
  await store.flush(flushOf(generation, { rows }));
  return generation;
}

async function allPages(reader: ReadModelReader, projection: string, query: FindRows) {
  const pages: Page[] = [];
  let after: string | undefined;
  do {
    const next = after === undefined ? query : { ...query, after };
    const { result } = await reader.find(projection, next);
    pages.push(result);
    after = result.next;
  } while (after !== undefined && pages.length < 50);
  return pages;
}

export function readModelReaderConformance(subject: () => ReadModelSubject): void {
  answers(subject);
  paging(subject);
  counting(subject);
  refusals(subject);
}

function answers(subject: () => ReadModelSubject): void {
  test("an answer carries its row, its generation and where the read model stands", async () => {
    const { store, reader } = subject();
    const generation = await store.open(readModel());
    const [owned] = await store.claim(generation, places(2));
    if (owned === undefined) throw new Error("nothing was claimed");
    await store.flush(
      flushOf(generation, {
        advances: [advance(owned, laneAt(3), { lastRecordedAtMs: 1_700_000_000_123 })],
        rows: [{ key: "M1", partition: 2, row: { moduleCode: "M1", held: 4 } }],
      }),
    );
    const positions = [
      { topic, partition: 2, position: laneAt(3), lastRecordedAtMs: 1_700_000_000_123 },
    ];
    const { projection } = generation;
    expect(await reader.get(projection, "M1")).toEqual({
      result: { moduleCode: "M1", held: 4 },
      positions,
      generation: 1,
    });
    expect(await reader.get(projection, "M2")).toMatchObject({ result: undefined, positions });
    expect(await reader.positions(projection)).toEqual(positions);
    expect(await reader.find(projection, { limit: 1, where: { held: 5 } })).toEqual({
      result: { rows: [], next: undefined },
      positions,
      generation: 1,
    });
  });

  test("a flush without recorded times leaves the last one standing", async () => {
    const { store, reader } = subject();
    const generation = await store.open(readModel());
    const first = at(await store.claim(generation, places(0)), 0);
    await store.flush(flushOf(generation, { advances: [advance(first, laneAt(1))] }));
    const second = at(await store.claim(generation, places(0)), 0);
    const untimed = advance(second, laneAt(2), { lastRecordedAtMs: undefined });
    await store.flush(flushOf(generation, { advances: [untimed] }));
    expect(await reader.positions(generation.projection)).toEqual([
      { topic, partition: 0, position: laneAt(2), lastRecordedAtMs: 1_700_000_000_001 },
    ]);
  });
}

const byRank = { column: "rank" };
const orders: readonly (readonly [string, FindRows["orderBy"], string])[] = [
  ["key", undefined, "00 01 02 03 04 05 06 07 08 09 10"],
  ["rank", [byRank], "10 02 04 09 03 07 08 00 06 01 05"],
  ["rank, falling", [{ ...byRank, descending: true }], "01 05 00 06 03 07 08 02 04 09 10"],
  ["score, with NaN last", [{ column: "score" }], "00 01 02 03 05 06 07 08 09 10 04"],
  [
    "name falling, then rank",
    [{ column: "name", descending: true }, byRank],
    "09 03 07 01 05 10 02 04 08 00 06",
  ],
];

function paging(subject: () => ReadModelSubject): void {
  test.each(orders)(
    "pages by %s join to the whole, each row once",
    async (_, orderBy, expected) => {
      const { store, reader } = subject();
      const { projection } = await filled(store);
      for (const limit of [1, 2, 3, 5, 10, 11, 12]) {
        const query = { limit, ...(orderBy && { orderBy }) };
        const pages = await allPages(reader, projection, query);
        const keys = pages.flatMap(({ rows }) => rows.map(({ key }) => key.slice(1)));
        expect(keys.join(" ")).toBe(expected);
        expect(pages.length).toBe(Math.ceil(ranks.length / limit));
      }
    },
  );

  test("a filter holds over all pages, null included", async () => {
    const { store, reader } = subject();
    const { projection } = await filled(store);
    const keysWhere = async (where: FindRows["where"] & object) => {
      const pages = await allPages(reader, projection, { where, limit: 2, orderBy: [byRank] });
      return pages.flatMap(({ rows }) => rows.map(({ key }) => key));
    };
    expect(await keysWhere({ name: "odd" })).toEqual(["k09", "k03", "k07", "k01", "k05"]);
    expect(await keysWhere({ rank: null })).toEqual(["k01", "k05"]);
    expect(await keysWhere({ rank: 1, name: "even" })).toEqual(["k02", "k04"]);
    expect(await keysWhere({ score: Number.NaN })).toEqual(["k04"]);
  });

  test("a row that moves behind the cursor isn't met twice", async () => {
    const { store, reader } = subject();
    const generation = await filled(store);
    const query = { limit: 4, orderBy: [byRank] };
    const first = await reader.find(generation.projection, query);
    const row = { name: "even", rank: -9, score: 0, extra: null };
    await store.flush(flushOf(generation, { rows: [{ key: "k06", partition: 0, row }] }));
    const after = first.result.next ?? "";
    const second = await reader.find(generation.projection, { ...query, limit: 50, after });
    expect(second.result.rows.map(({ key }) => key).join(" ")).toBe("k03 k07 k08 k00 k01 k05");
  });
}

function counting(subject: () => ReadModelSubject): void {
  test("counts the rows that fit, and of those with null in the column none as below", async () => {
    const { store, reader } = subject();
    const { projection } = await filled(store);
    const count = async (query: CountRows) => (await reader.count(projection, query)).result;
    expect(await count({})).toBe(ranks.length);
    expect(await count({ where: { rank: null } })).toBe(2);
    expect(await count({ below: { column: "rank", value: 2 } })).toBe(4);
    expect(await count({ where: { name: "even" }, below: { column: "rank", value: 3 } })).toBe(4);
    expect(await count({ where: { name: "none" } })).toBe(0);
    expect(await reader.count(projection, {})).toMatchObject({ generation: 1 });
  });

  test.each<CountRows>([
    { where: { nothing: 1 } },
    { below: { column: "nothing", value: 1 } },
    { below: { column: "rank", value: "1" } },
    { below: { column: "rank", value: null } },
    { below: { column: "extra", value: 1 } },
  ])("a count that can't be made is refused by name: %o", async (query) => {
    const { store, reader } = subject();
    const { projection } = await filled(store);
    await expect(reader.count(projection, query)).rejects.toMatchObject({ code: "query-invalid" });
  });
}

function refusals(subject: () => ReadModelSubject): void {
  test("a projection that was never built is refused by name", async () => {
    const { reader } = subject();
    const unknown = { code: "no-generation" };
    await expect(reader.get("never-built", "k")).rejects.toMatchObject(unknown);
    await expect(reader.find("never-built", { limit: 1 })).rejects.toMatchObject(unknown);
    await expect(reader.positions("never-built")).rejects.toMatchObject(unknown);
  });

  test("a cursor of another order, filter or projection is refused by name", async () => {
    const { store, reader } = subject();
    const { projection } = await filled(store);
    const other = await filled(store);
    const cursor = await reader.find(projection, { limit: 2, orderBy: [byRank] });
    const after = cursor.result.next ?? "";
    const wrong: [string, FindRows][] = [
      [projection, { limit: 2, after }],
      [projection, { limit: 2, after, orderBy: [{ ...byRank, descending: true }] }],
      [projection, { limit: 2, after, orderBy: [byRank], where: { name: "odd" } }],
      [other.projection, { limit: 2, after, orderBy: [byRank] }],
      [projection, { limit: 2, after: "", orderBy: [byRank] }],
      [projection, { limit: 2, after: `${after}!`, orderBy: [byRank] }],
      [projection, { limit: 2, after: after.slice(2), orderBy: [byRank] }],
      [projection, { limit: 2, after: forged(after, "text"), orderBy: [byRank] }],
      [projection, { limit: 2, after: forged(after, 1, 2), orderBy: [byRank] }],
    ];
    for (const [name, query] of wrong) {
      await expect(reader.find(name, query)).rejects.toMatchObject({ code: "cursor-invalid" });
    }
  });

  test("a query that can't be answered is refused with its faults", async () => {
    const { store, reader } = subject();
    const { projection } = await filled(store);
    const wrong: FindRows[] = [
      { limit: 0 },
      { limit: 1_000_000 },
      { limit: 1, where: { nothing: 1 } },
      { limit: 1, where: { rank: "1" } },
      { limit: 1, where: { extra: {} } },
      { limit: 1, orderBy: [{ column: "extra" }] },
      { limit: 1, orderBy: [{ column: 'rank"; drop table x' }] },
    ];
    for (const query of wrong) {
      const finding = reader.find(projection, query);
      await expect(finding).rejects.toMatchObject({ code: "query-invalid" });
    }
  });
}

/** The cursor with other values in it, its binding kept. */
function forged(cursor: string, ...values: readonly unknown[]): string {
  const parts = JSON.parse(Buffer.from(cursor, "base64url").toString()) as unknown[];
  return Buffer.from(JSON.stringify([parts[0], values, parts[2]])).toString("base64url");
}
