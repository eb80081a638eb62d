import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { AnyRow } from "../../engine/columns.ts";
import { bigint, double, integer, json, nullable, text } from "../../engine/columns.ts";
import { compareText } from "../../engine/memory/find-rows.ts";
import { comparedColumns } from "../../engine/rebuild/compared-columns.ts";
import {
  type DifferingRow,
  type KeyedRow,
  rowDifferences,
} from "../../engine/rebuild/row-differences.ts";

const columns = { size: integer(), note: nullable(text()) };

async function* paged(rows: ReadonlyMap<string, AnyRow>, pageRows: number) {
  const sorted: KeyedRow[] = [...rows].map(([key, row]) => ({ key, row }));
  sorted.sort((a, b) => compareText(a.key, b.key));
  for (let at = 0; at < sorted.length; at += pageRows) yield sorted.slice(at, at + pageRows);
}

async function differences(
  live: ReadonlyMap<string, AnyRow>,
  shadow: ReadonlyMap<string, AnyRow>,
  of = comparedColumns(columns, columns),
): Promise<DifferingRow[]> {
  const found: DifferingRow[] = [];
  for await (const row of rowDifferences(paged(live, 3), paged(shadow, 2), of)) found.push(row);
  return found;
}

const rows = fc
  .array(
    fc.tuple(
      // Few keys, so that the sides meet; beyond the BMP, where UTF-16 has another order.
      fc.constantFrom("a", "b", "c", "d", "\uffff", "\u{10000}", "é"),
      fc.record({ size: fc.integer({ min: 0, max: 2 }), note: fc.constantFrom(null, "x", "y") }),
    ),
    { maxLength: 12 },
  )
  .map((pairs) => new Map<string, AnyRow>(pairs));

test("finds exactly the keys that a map of both sides finds, in order", async () => {
  await fc.assert(
    fc.asyncProperty(rows, rows, async (live, shadow) => {
      const keys = [...new Set([...live.keys(), ...shadow.keys()])].sort(compareText);
      const expected = keys.flatMap((key) => {
        const [one, other] = [live.get(key), shadow.get(key)];
        const fields =
          one && other
            ? (["size", "note"] as const).filter((name) => one[name] !== other[name])
            : [];
        const differs = !one || !other || fields.length > 0;
        return differs ? [{ key, live: one, shadow: other, fields }] : [];
      });
      expect(await differences(live, shadow)).toEqual(expected);
    }),
  );
});

describe("across versions", () => {
  const before = { size: integer(), note: text(), held: integer() };
  const after = { size: bigint(), note: text(), waiting: integer() };
  const of = comparedColumns(before, after);

  test("names the columns that came and went, those of another type among both", () => {
    expect(of.common.map(([name]) => name)).toEqual(["note"]);
    expect(of.added).toEqual(["size", "waiting"]);
    expect(of.removed).toEqual(["size", "held"]);
  });

  test("compares only what both have", async () => {
    const live = new Map([["a", { size: 1, note: "x", held: 1 }]]);
    const shadow = new Map([["a", { size: 2n, note: "x", waiting: 7 }]]);
    expect(await differences(live, shadow, of)).toEqual([]);
    shadow.set("a", { size: 2n, note: "y", waiting: 7 });
    expect((await differences(live, shadow, of)).map(({ fields }) => fields)).toEqual([["note"]]);
  });
});

test.each([
  ["JSON with keys in another order", json(), { a: 1, b: [2] }, { b: [2], a: 1 }],
  ["no number", double(), Number.NaN, Number.NaN],
  ["the two zeros", double(), 0, -0],
  ["null and nothing", nullable(text()), null, undefined],
])("takes %s for equal", async (_, column, one, other) => {
  const of = comparedColumns({ value: column }, { value: column });
  const live = new Map([["a", { value: one }]]);
  const shadow = new Map([["a", { value: other }]]);
  expect(await differences(live, shadow, of)).toEqual([]);
});
