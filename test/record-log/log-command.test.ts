import { Writable } from "node:stream";

import { expect, test } from "vitest";

import { logCommand } from "../../bin/commands/log.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import type { SchemaRegistry } from "../../engine/ports/schema-registry.ts";
import { framed, makeEncoder, parseSchema } from "../../schemas/avro/index.ts";

const offered = JSON.stringify({
  type: "record",
  name: "Offered",
  namespace: "test",
  fields: [
    { name: "code", type: "string" },
    { name: "seats", type: "long" },
    { name: "mark", type: "bytes" },
  ],
});
const keySchema = JSON.stringify({
  type: "record",
  name: "Key",
  fields: [{ name: "code", type: "string" }],
});

const registry = {
  schemaById: async (id: number) =>
    new Map([
      [7, offered],
      [8, keySchema],
    ]).get(id),
} as SchemaRegistry;

const encode = (id: number, schema: string, value: unknown): Buffer =>
  framed(id, makeEncoder(parseSchema(schema)).encode(value));

async function logWithRecords(): Promise<MemoryRecordLog> {
  const log = new MemoryRecordLog();
  await log.ensureTopic({ name: "modules", partitions: 2, retentionMs: 86_400_000 });
  await log.ensureTopic({ name: "empty", partitions: 1 });
  const at = Date.parse("2013-09-15T09:00:00Z");
  const event = { code: "AAA", seats: 2n ** 60n + 1n, mark: Buffer.from([1, 2]) };
  const headers = [{ name: "ce_id", value: Buffer.from("id-1") }];
  const record = (key: Buffer, value: Buffer | null, timestampMs: number) => ({
    timestampMs,
    key,
    value,
    headers,
  });
  const changeKey = encode(8, keySchema, { code: "AAA" });
  await log.append([
    {
      topic: "modules",
      partition: 1,
      records: [
        record(Buffer.from("AAA"), encode(7, offered, event), at),
        record(changeKey, null, at + 1_000),
        record(Buffer.from("BBB"), framed(99, Buffer.from([1])), at + 2_000),
        record(Buffer.from("BBB"), framed(7, Buffer.from([200])), at + 3_000),
        record(Buffer.from([255]), Buffer.from("plain"), at + 4_000),
      ],
    },
  ]);
  return log;
}

async function run(...args: string[]): Promise<string> {
  const log = await logWithRecords();
  let text = "";
  const output = new Writable({
    write: (chunk: Buffer, _, done) => {
      text += chunk.toString();
      done();
    },
  });
  const connect = async () => ({ log, registry, [Symbol.asyncDispose]: async () => undefined });
  const command = logCommand(connect, output).exitOverride();
  for (const sub of command.commands)
    sub.exitOverride().configureOutput({ writeErr: () => undefined });
  await command.parseAsync(args, { from: "user" });
  return text;
}

const lines = (text: string): unknown[] =>
  text
    .trimEnd()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

test("topics are listed with their records, last time and retention", async () => {
  const topics = JSON.parse(await run("topics", "--json")) as unknown[];
  expect(topics).toEqual([
    { name: "empty", partitions: 1, records: 0, lastRecordAt: null, retentionMs: null },
    {
      name: "modules",
      partitions: 2,
      records: 5,
      lastRecordAt: "2013-09-15T09:00:04.000Z",
      retentionMs: 86_400_000,
    },
  ]);
  expect(await run("topics")).toMatch(/modules +2 +5 +2013-09-15T09:00:04.000Z +24 h/);
});

test("a record is shown with offset, time, key, headers and event, numbers exactly", async () => {
  const text = await run("read", "modules", "--json", "--limit", "1");
  expect(text).toContain('"seats":1152921504606846977');
  expect(lines(text)).toEqual([
    {
      topic: "modules",
      partition: 1,
      offset: 0,
      time: "2013-09-15T09:00:00.000Z",
      key: "AAA",
      headers: { ce_id: "id-1" },
      schemaId: 7,
      type: "test.Offered",
      event: { code: "AAA", seats: Number(2n ** 60n + 1n), mark: "AQI=" },
    },
  ]);
});

test("tombstones and records that can't be decoded are shown with the reason", async () => {
  const read = lines(await run("read", "modules", "--json", "--from", "1", "--partition", "1"));
  expect(read).toMatchObject([
    { offset: 1, key: { code: "AAA" }, event: null },
    { offset: 2, undecodable: { reason: "the registry has no schema 99" } },
    { offset: 3, undecodable: { reason: expect.stringContaining("schema 7 does not fit") } },
    { offset: 4, key: "base64:/w==", undecodable: { bytes: "cGxhaW4=" } },
  ]);
});

test("people get a line of coordinates, the envelope and the event", async () => {
  const text = await run("read", "modules", "--limit", "2");
  expect(text.split("\n")).toEqual([
    "modules 1@0  2013-09-15T09:00:00.000Z  AAA  test.Offered",
    "  ce_id: id-1",
    '  {"code":"AAA","seats":1152921504606846977,"mark":"AQI="}',
    'modules 1@1  2013-09-15T09:00:01.000Z  {"code":"AAA"}',
    "  ce_id: id-1",
    "  (no value: a tombstone)",
    "",
  ]);
});

test.each([
  ["2013-09-15T09:00:02Z", [2, 3, 4]],
  ["2013-09-15T11:00:02.500+02:00", [3, 4]],
  ["2013-09-15 09:00:03", [3, 4]],
  ["2013-09-15", [0, 1, 2, 3, 4]],
  ["latest", []],
])("reads from %s on", async (from, offsets) => {
  const read = lines(await run("read", "modules", "--json", "--from", from));
  expect(read.map((one) => (one as { offset: number }).offset)).toEqual(offsets);
});

test("a key is found as text and as a framed key's only column", async () => {
  const read = lines(await run("read", "modules", "--json", "--key", "AAA"));
  expect(read.map((one) => (one as { offset: number }).offset)).toEqual([0, 1]);
});

test.each([
  [["read", "nowhere"], "There is no topic nowhere: there are empty, modules."],
  [["read", "modules", "--partition", "2"], "modules has no partition 2: they are 0 to 1."],
  [["read", "modules", "--from", "yesterday"], "--from yesterday is neither earliest"],
  [["read", "modules", "--from", "2013-13-45T00:00Z"], "nor a time like"],
  [["read", "modules", "--from", "3"], "name it with --partition"],
  [["read", "modules", "--partition", "1", "--from", "9"], "from 0 to before 5"],
  [["read", "modules", "--limit", "none"], "whole number"],
])("%j is refused with what is wrong", async (args, message) => {
  await expect(run(...args)).rejects.toThrow(message);
});
