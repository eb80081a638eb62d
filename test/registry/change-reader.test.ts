import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import {
  avroCodec,
  StoredSchemaRegistry,
  registerChangeSchemas,
} from "../../connectors/registry/index.ts";
import { RecordError } from "../../engine/errors.ts";
import { MemoryRegistryStore } from "../../engine/memory/registry-store.ts";
import type { RowChange } from "../../engine/ports/codec.ts";
import { makeEncoder, parseSchema } from "../../schemas/avro/index.ts";
import { catalogueModules } from "../../schemas/index.ts";

/** As the connector registers it for `catalogue.modules`, but for the fields that nobody reads. */
const envelope = {
  type: "record",
  name: "Envelope",
  namespace: "refold.catalogue.modules",
  fields: [
    {
      name: "before",
      type: [
        "null",
        {
          ...catalogueModules.row,
          fields: [
            ...catalogueModules.row.fields,
            { name: "added", type: ["null", "int"], default: null },
          ],
        },
      ],
      default: null,
    },
    { name: "after", type: ["null", "Value"], default: null },
    {
      name: "source",
      type: {
        type: "record",
        name: "Source",
        namespace: "io.debezium.connector.postgresql",
        fields: [
          { name: "version", type: "string" },
          { name: "ts_ms", type: "long" },
          {
            name: "snapshot",
            type: [{ type: "string", "connect.default": "false" }, "null"],
            default: "false",
          },
          { name: "sequence", type: ["null", "string"], default: null },
          { name: "ts_ns", type: ["null", "long"], default: null },
        ],
      },
    },
    {
      name: "transaction",
      type: [
        "null",
        {
          type: "record",
          name: "block",
          namespace: "event",
          fields: [
            { name: "id", type: "string" },
            { name: "total_order", type: "long" },
            { name: "data_collection_order", type: "long" },
          ],
        },
      ],
      default: null,
    },
    { name: "op", type: "string" },
    { name: "ts_ns", type: ["null", "long"], default: null },
  ],
};
const row = {
  code: "AAA",
  title: "t",
  capacity: 3,
  fee_cents: 0,
  opens_at: null,
  closes_at: null,
  updated_at: "2026-01-01T00:00:00Z",
};
const nanoseconds = 1_795_220_983_163_551_000n;

async function readOf(value: object): Promise<RowChange> {
  const registry = new StoredSchemaRegistry({ store: new MemoryRegistryStore() });
  const schema = JSON.stringify(envelope);
  const ids = await registerChangeSchemas(registry, {
    topic: catalogueModules.name,
    key: undefined,
    value: schema,
  });
  const bytes = makeEncoder(parseSchema(schema)).encode({
    before: null,
    after: null,
    source: {
      version: "v",
      ts_ms: 5,
      snapshot: "false",
      sequence: '["26365784","26366064"]',
      ts_ns: nanoseconds,
    },
    transaction: { id: "728:26365784", total_order: 2, data_collection_order: 1 },
    op: "c",
    ts_ns: nanoseconds,
    ...value,
  });
  const decoder = await avroCodec({ registry }).changes(catalogueModules).learn(ids.value);
  return decoder.decode(bytes, 0, bytes.length);
}

test("reads a row's change with its coordinates, past columns that it doesn't know", async () => {
  expect(await readOf({ after: { ...row, added: 1 } })).toEqual({
    op: "c",
    before: null,
    after: row,
    sourceTimestampMs: 5,
    commitLsn: 26_365_784n,
    order: 2,
    transactionId: "728:26365784",
    snapshot: false,
  });
});

test("a snapshot's row has no transaction, and the first transaction none before it", async () => {
  const source = { version: "v", ts_ms: 5, snapshot: "last", sequence: null, ts_ns: null };
  expect(await readOf({ op: "r", after: row, transaction: null, source })).toMatchObject({
    commitLsn: 0n,
    order: 0,
    transactionId: undefined,
    snapshot: true,
  });
  const first = { ...source, snapshot: "false", sequence: '[null,"26365784"]' };
  expect(await readOf({ after: row, source: first })).toMatchObject({ commitLsn: 0n, order: 2 });
});

test("a change that can't be told from its repetition is a record error", async () => {
  await expect(readOf({ after: row, transaction: null })).rejects.toThrow(RecordError);
  await expect(readOf({ op: "x" })).rejects.toThrow(/unknown op x/);
  const source = { version: "v", ts_ms: 5, snapshot: "false", sequence: "none", ts_ns: null };
  await expect(readOf({ source })).rejects.toThrow(/source\.sequence that is none/);
});

interface Recording {
  readonly schemas: Readonly<
    Record<string, { readonly fields: readonly { name: string; type: unknown }[] }>
  >;
  readonly events: readonly {
    readonly topic: string;
    readonly value: {
      readonly op?: string;
      readonly after?: unknown;
      readonly before?: unknown;
      readonly source: { ts_ms: number };
    } | null;
    readonly valueSchema: number;
    readonly valueAvro: string;
  }[];
}

type RecordedSchema = Recording["schemas"][string];

/** The row's schema: the record in the union of `before`. */
function rowOf(schema: RecordedSchema): typeof catalogueModules.row {
  const before = schema.fields.find((field) => field.name === "before");
  const [, row] = (before?.type ?? []) as readonly unknown[];
  return row as typeof catalogueModules.row;
}

const recordings = join(import.meta.dirname, "../../../shared/vectors/debezium");

test("reads what the real connector wrote, where recordings of it are at hand", async () => {
  const scenarios = [
    "crud_default",
    "crud_full",
    "snapshot_initial",
    "types_temporal",
    "key_change_default",
  ];
  let read = 0;
  for (const scenario of existsSync(recordings) ? scenarios : []) {
    const text = readFileSync(join(recordings, `${scenario}.json`), "utf8");
    const { schemas, events } = JSON.parse(text) as Recording;
    for (const event of events) {
      const schema = schemas[event.valueSchema];
      if (event.value?.op === undefined || schema === undefined) continue;
      const topic = { ...catalogueModules, row: rowOf(schema) };
      const registry = new StoredSchemaRegistry({ store: new MemoryRegistryStore() });
      const { id } = await registry.register("s", JSON.stringify(schema));
      const decoder = await avroCodec({ registry }).changes(topic).learn(id);
      const bytes = Buffer.from(event.valueAvro, "base64");
      const change = decoder.decode(bytes, 0, bytes.length);
      expect(change).toMatchObject({
        op: event.value.op,
        sourceTimestampMs: event.value.source.ts_ms,
      });
      read += 1;
      expect(change.after).toEqual(event.value.after);
      expect(change.before).toEqual(event.value.before);
    }
  }
  expect(read > 0).toBe(existsSync(recordings));
});
