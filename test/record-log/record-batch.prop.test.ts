import * as fc from "fast-check";
import { expect, test } from "vitest";

import { encodeRecordBatch, RecordCursor } from "../../engine/record-batch/index.ts";
import type { RecordToAppend } from "../../engine/ports/record-log.ts";

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const records: fc.Arbitrary<RecordToAppend[]> = fc.array(
  fc.record({
    timestampMs: fc.oneof(
      fc.nat({ max: 2 ** 31 - 1 }),
      fc.maxSafeNat().map((n) => n % 2 ** 52),
      fc.integer({ min: 1_700_000_000_000, max: 1.8e12 }),
    ),
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.array(
      fc.record({ name: fc.string({ unit: "binary", maxLength: 90 }), value: fc.option(bytes) }),
      { maxLength: 8 },
    ),
  }),
  { minLength: 1, maxLength: 70 },
);

function readAll(cursor: RecordCursor): (RecordToAppend & { offset: number })[] {
  const read: (RecordToAppend & { offset: number })[] = [];
  while (cursor.next()) read.push({ ...cursor.record(), offset: cursor.offset });
  return read;
}

test("what is written is read back, from any offset", () => {
  const batches = fc.array(records, { minLength: 1, maxLength: 4 });
  const run = fc.property(batches, fc.nat(1_000_000), fc.nat(120), (written, base, skip) => {
    let next = base;
    const expected: (RecordToAppend & { offset: number })[] = [];
    const encoded = written.map((batch) => {
      const baseOffset = next;
      for (const record of batch) expected.push({ ...record, offset: next++ });
      return encodeRecordBatch({ baseOffset, records: batch });
    });
    const cursor = new RecordCursor({ verify: "checksum" });
    cursor.reset(Buffer.concat(encoded), base + skip);
    expect(readAll(cursor)).toEqual(expected.slice(skip));
  });
  fc.assert(run, { numRuns: 200 });
});

test("every header is found by its name, in any order of asking", () => {
  const run = fc.property(records, (written) => {
    const cursor = new RecordCursor();
    cursor.reset(encodeRecordBatch({ baseOffset: 0, records: written }), 0);
    for (const record of written) {
      expect(cursor.next()).toBe(true);
      for (const { name } of record.headers.toReversed()) {
        const first = record.headers.find((header) => header.name === name)?.value ?? null;
        const start = cursor.headerStart(name);
        const found = start < 0 ? null : cursor.bytes.subarray(start, cursor.headerEnd);
        expect(found).toEqual(first);
      }
    }
  });
  fc.assert(run, { numRuns: 100 });
});

test("changed or missing bytes give a named error or records, and always an end", () => {
  const change = fc.record({ at: fc.nat(), to: fc.nat(255) });
  const changes = fc.array(change, { maxLength: 4 });
  const run = fc.property(records, changes, fc.nat(), (written, damages, cut) => {
    const whole = encodeRecordBatch({ baseOffset: 0, records: written });
    for (const { at, to } of damages) whole[at % whole.length] = to;
    const cursor = new RecordCursor();
    cursor.reset(whole.subarray(0, whole.length - (cut % 3 === 0 ? cut % whole.length : 0)), 0);
    try {
      expect(readAll(cursor).length).toBeLessThanOrEqual(whole.length / 7);
    } catch (error) {
      expect(["batch-corrupt", "batch-unsupported"]).toContain((error as { code: string }).code);
    }
  });
  fc.assert(run, { numRuns: 1_000 });
});

test("random bytes give a named error", () => {
  const run = fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (random) => {
    const cursor = new RecordCursor();
    cursor.reset(Buffer.from(random), 0);
    expect(() => readAll(cursor)).toThrow(expect.objectContaining({ code: "batch-corrupt" }));
  });
  fc.assert(run, { numRuns: 300 });
});
