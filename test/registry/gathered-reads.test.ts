import { expect, test } from "vitest";

import {
  distinctNames,
  GatheredReads,
} from "../../connectors/registry/postgres-store/gathered-reads.ts";
import type { SubjectName } from "../../engine/ports/registry-store.ts";

const of = (subject: string): SubjectName => ({ context: ".", subject });

test("what is asked for in one turn is read together, and what comes meanwhile with the next", async () => {
  const read: string[][] = [];
  const reads = new GatheredReads(async (names) => {
    read.push(names.map(({ subject }) => subject));
    await new Promise((resolve) => setImmediate(resolve));
    return ({ subject }) => `found ${subject}`;
  });
  const first = [reads.of(of("a")), reads.of(of("b")), reads.of(of("a"))];
  await Promise.resolve();
  const next = [reads.of(of("c")), reads.of(of("a"))];
  expect(await Promise.all([...first, ...next])).toEqual([
    "found a",
    "found b",
    "found a",
    "found c",
    "found a",
  ]);
  expect(read).toEqual([
    ["a", "b", "a"],
    ["c", "a"],
  ]);
});

test("a read that fails, fails for those who asked with it, and for nobody after them", async () => {
  let fails = true;
  const reads = new GatheredReads(async () => {
    if (fails) throw new Error("The connection is gone.");
    return ({ subject }) => subject;
  });
  const told = await Promise.allSettled([reads.of(of("a")), reads.of(of("b"))]);
  expect(told.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  fails = false;
  expect(await reads.of(of("a"))).toBe("a");
});

test("a statement is asked for each name once, and contexts don't mix", () => {
  const names = [of("a"), { context: ".test", subject: "a" }, of("a"), of("b")];
  expect(distinctNames(names)).toEqual([
    [".", ".test", "."],
    ["a", "a", "b"],
  ]);
});
