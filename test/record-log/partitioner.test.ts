import { expect, test } from "vitest";

import { murmur2, partitionOf } from "../../engine/partitioner.ts";

/** From Kafka's own test of `Utils.murmur2`. */
const vectors: readonly (readonly [string, number])[] = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
];

test.each(vectors)("hashes %s as Kafka does", (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash);
});

test("a negative hash loses its sign bit before the remainder is taken", () => {
  expect(partitionOf("21", 10)).toBe((-973932308 & 0x7fffffff) % 10);
});

test("a key has the same partition as text and as its UTF-8 bytes", () => {
  for (const key of ["", "a", "AAA-2013J", "ü€😀"]) {
    expect(partitionOf(key, 10)).toBe(partitionOf(Buffer.from(key, "utf8"), 10));
  }
});
