import { COMPATIBILITY, SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { beforeEach, expect, test } from "vitest";

import { subjectRegistry } from "../../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../../engine/memory/registry-store.ts";
import { serverOfTest } from "../api/server.ts";

const record = (name: string, ...fields: readonly object[]) => ({
  type: "record" as const,
  name,
  namespace: "orders",
  fields,
});

const money = record("Money", { name: "cents", type: "long" });
const order = record(
  "Order",
  { name: "id", type: "string" },
  { name: "total", type: "orders.Money" },
);

let client: SchemaRegistry;
beforeEach(async () => {
  const registry = subjectRegistry(new MemoryRegistryStore());
  const { app } = await serverOfTest({ deps: { registry } });
  const host = await app.listen({ host: "127.0.0.1", port: 0 });
  client = new SchemaRegistry({ host: `${host}/registry`, retry: { retries: 0 } });
});

const avro = (schema: object, references: readonly { subject: string; name: string }[] = []) => ({
  type: SchemaType.AVRO as const,
  schema: JSON.stringify(schema),
  references: references.map((reference) => ({ ...reference, version: 1 })),
});

test("@kafkajs/confluent-schema-registry registers, finds, encodes and decodes", async () => {
  const { id } = await client.register(avro(money), { subject: "money-value" });
  expect(await client.register(avro(money), { subject: "money-value" })).toMatchObject({ id });
  expect(await client.getLatestSchemaId("money-value")).toBe(id);
  expect(await client.getRegistryId("money-value", 1)).toBe(id);
  expect(await client.getRegistryIdBySchema("money-value", avro(money))).toBe(id);
  const bytes = await client.encode(id, { cents: 250 });
  expect(bytes.readInt32BE(1)).toBe(id);
  expect(await client.decode(bytes)).toMatchObject({ cents: 250 });
});

test("@kafkajs/confluent-schema-registry follows references", async () => {
  await client.register(avro(money), { subject: "money-value" });
  const references = [{ name: "orders.Money", subject: "money-value" }];
  const { id } = await client.register(avro(order, references), { subject: "order-value" });
  const bytes = await client.encode(id, { id: "o-1", total: { cents: 5 } });
  expect(await client.decode(bytes)).toMatchObject({ id: "o-1", total: { cents: 5 } });
});

test("@kafkajs/confluent-schema-registry sets the compatibility, and is refused by it", async () => {
  const compatibility = COMPATIBILITY.FULL_TRANSITIVE;
  await client.register(avro(money), { subject: "money-value", compatibility });
  const broken = avro(record("Money", { name: "cents", type: "string" }));
  await expect(client.register(broken, { subject: "money-value", compatibility })).rejects.toThrow(
    /incompatible with an earlier schema for subject "money-value"/,
  );
  await expect(
    client.register(broken, { subject: "money-value", compatibility: COMPATIBILITY.NONE }),
  ).rejects.toThrow(/Compatibility does not match the configuration/);
  await expect(client.getLatestSchemaId("nothing")).rejects.toThrow(/Subject 'nothing' not found/);
});
