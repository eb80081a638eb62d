import { beforeEach, expect, test } from "vitest";

import {
  avroCodec,
  StoredSchemaRegistry,
  subjectRegistry,
} from "../../connectors/registry/index.ts";
import { FatalError } from "../../engine/errors.ts";
import { MemoryRegistryStore } from "../../engine/memory/registry-store.ts";
import type { SubjectRegistry } from "../../engine/ports/subject-registry.ts";
import { frameBytes } from "../../engine/ports/codec.ts";
import { defineTopic } from "../../engine/topic.ts";
import { defineEvent } from "../../schemas/avro/index.ts";

const Opened = defineEvent({
  type: "record",
  name: "Opened",
  namespace: "doors",
  fields: [{ name: "door", type: "string" }],
});

const topic = defineTopic({
  name: "door-events",
  partitions: 1,
  events: [Opened],
  key: "door",
});

const subject = "door-events-doors.Opened";

let store: MemoryRegistryStore;
let clients: SubjectRegistry;
beforeEach(() => {
  store = new MemoryRegistryStore();
  clients = subjectRegistry(store);
});

/** A process that starts: it registers what it frames events with. */
async function started() {
  const codec = avroCodec({ registry: new StoredSchemaRegistry({ store }) });
  await codec.prepare(topic);
  return codec;
}

async function deletedForGood(): Promise<void> {
  await clients.subjects.deleteSubject(subject, "hide");
  await clients.subjects.deleteSubject(subject, "permanent");
}

test("events stay decodable after their subject is deleted for good", async () => {
  const codec = await started();
  const bytes = Buffer.from(codec.encode(topic, Opened, { door: "north" }));
  await deletedForGood();
  const unprepared = avroCodec({ registry: new StoredSchemaRegistry({ store }) });
  const decoder = await unprepared.events([Opened]).learn(bytes.readInt32BE(1));
  expect(decoder.decode(bytes, frameBytes, bytes.length)).toEqual({ door: "north" });
});

test("a deleted schema's id goes on standing for it, though no subject has it", async () => {
  await started();
  const { id } = await clients.subjects.version(subject, "1", "left-out");
  await deletedForGood();
  expect((await clients.schemas.byId(id)).schema).toContain("Opened");
  expect(await clients.schemas.uses(id, "included")).toEqual([]);
  expect(await clients.subjects.names({ prefix: "", deleted: "included" })).toEqual([]);
});

test("a start brings deleted schemas back under their ids, in whatever mode the registry is", async () => {
  await started();
  const { id } = await clients.subjects.version(subject, "1", "left-out");
  for (const mode of ["READONLY", "IMPORT", "READONLY_OVERRIDE"]) {
    await clients.settings.setMode(undefined, "READWRITE", "forced");
    await deletedForGood();
    await clients.settings.setMode(undefined, mode, "forced");
    await started();
    expect((await clients.subjects.version(subject, "latest", "left-out")).id).toBe(id);
  }
});

test("a start is refused by name where the mode forbids a schema that is new", async () => {
  await clients.settings.setMode(undefined, "READONLY", "forced");
  const error: unknown = await started().catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(FatalError);
  expect((error as FatalError).code).toBe("schema-refused");
  expect((error as FatalError).message).toContain(`Subject ${subject} is in read-only mode`);
});

test("an import can't put another schema in the place of one that frames events", async () => {
  await started();
  const { id } = await clients.subjects.version(subject, "1", "left-out");
  await deletedForGood();
  await clients.settings.setMode(undefined, "IMPORT", "forced");
  const schema = '{"type":"record","name":"Other","fields":[]}';
  await expect(clients.subjects.register("other", { schema, id })).rejects.toThrow(
    `Overwrite new schema with id ${id} is not permitted.`,
  );
});
