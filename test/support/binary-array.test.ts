import { expect, test } from "vitest";

import { readArray, readText, textArray } from "../../connectors/postgres/binary-array.ts";

const ascii = ["", "a", null, "x".repeat(127), "y".repeat(128), "z".repeat(255), "w".repeat(300)];
const wide = ["ü", "€", "😀", "\u0080", `${"n".repeat(200)}é`, "\u0000\u007f"];

test.each([
  { name: "of nothing", texts: [] },
  { name: "of nulls", texts: [null, null] },
  { name: "in ASCII, of any length", texts: ascii },
  { name: "with other characters among them", texts: [...ascii, ...wide] },
  { name: "of other characters", texts: wide },
  { name: "of very many", texts: Array.from({ length: 200_000 }, (_, i) => `student:${i}`) },
])("texts $name arrive as they were", ({ texts }) => {
  const bytes = textArray(texts);
  expect(bytes.readInt32BE(12)).toBe(texts.length);
  expect(readArray(bytes, readText)).toEqual(texts);
});
