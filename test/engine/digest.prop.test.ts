import {
  assert,
  array,
  bigInt,
  integer as anyInteger,
  nat,
  property,
  record,
  string,
} from "fast-check";
import { expect, test } from "vitest";

import { bigint, integer, json, nullable, text } from "../../engine/columns.ts";
import { DigestDeltas, digestsOf, RowHasher } from "../../engine/digest.ts";
import { RecordError } from "../../engine/errors.ts";
import { sequence } from "../../engine/position.ts";
import { decodePositionToken, encodePositionToken } from "../../engine/position-token.ts";

const columns = { name: nullable(text()), count: integer(), big: bigint(), extra: json() };
const rows = array(
  record({
    key: string({ maxLength: 4 }),
    row: record({
      name: string(),
      count: anyInteger(),
      big: bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      extra: record({ a: nat(), b: string() }),
    }),
  }),
  { maxLength: 40 },
);

test("digests kept by changes equal digests counted from the rows that are left", () => {
  assert(
    property(rows, (changes) => {
      const kept = new Map<number, { hash: bigint; rows: number }>();
      const held = new Map<string, (typeof changes)[number]["row"]>();
      const deltas = new DigestDeltas(columns);
      for (const [at, { key, row }] of changes.entries()) {
        const after = at % 5 === 4 ? undefined : row;
        deltas.change(key, held.get(key), after);
        if (after) held.set(key, after);
        else held.delete(key);
        if (at % 3 !== 0) continue;
        for (const delta of deltas.take()) add(kept, delta);
      }
      for (const delta of deltas.take()) add(kept, delta);
      const left = [...held].map(([key, row]) => ({ key, row }));
      const nonEmpty = new Map([...kept].filter(([, digest]) => digest.rows > 0));
      for (const digest of kept.values()) if (digest.rows === 0) expect(digest.hash).toBe(0n);
      expect(nonEmpty).toEqual(digestsOf(columns, left));
    }),
  );
});

function add(
  to: Map<number, { hash: bigint; rows: number }>,
  delta: { bucket: number; hash: bigint; rows: number },
): void {
  const old = to.get(delta.bucket) ?? { hash: 0n, rows: 0 };
  const hash = BigInt.asUintN(64, old.hash + delta.hash);
  to.set(delta.bucket, { hash, rows: old.rows + delta.rows });
}

test("a row's hash doesn't depend on the order of its columns or of a JSON value's keys", () => {
  const hasher = new RowHasher(columns);
  hasher.hash("k", { name: null, count: 1, big: 2n, extra: { a: 1, b: 2 } });
  const one = hasher.value;
  hasher.hash("k", { extra: { b: 2, a: 1 }, big: 2n, count: 1, name: null });
  expect(hasher.value).toBe(one);
  hasher.hash("k", { extra: { b: 2, a: 1 }, big: 2n, count: 1, name: "" });
  expect(hasher.value).not.toBe(one);
});

test("position tokens come back as they went, and anything else is refused by name", () => {
  const lane = record({ topic: string({ minLength: 1 }), partition: nat(9_999), at: nat() });
  assert(
    property(string(), array(lane, { maxLength: 20 }), (incarnation, lanes) => {
      const token = {
        incarnation: incarnation.toWellFormed(),
        lanes: lanes.map(({ topic, partition, at }) => ({
          topic: topic.toWellFormed(),
          partition,
          sequence: sequence(at),
        })),
      };
      const back = decodePositionToken(encodePositionToken(token));
      expect(back.incarnation).toBe(token.incarnation);
      const text = (one: { topic: string; partition: number; sequence: bigint }) =>
        `${one.topic} ${one.partition} ${one.sequence}`;
      expect(back.lanes.map(text).sort()).toEqual(token.lanes.map(text).sort());
    }),
  );
  assert(
    property(string(), (garbage) => {
      try {
        decodePositionToken(garbage);
      } catch (error) {
        expect(error).toBeInstanceOf(RecordError);
        expect(error).toMatchObject({ code: "token-invalid" });
      }
    }),
  );
  expect(() => decodePositionToken("%%%")).toThrow(RecordError);
});
