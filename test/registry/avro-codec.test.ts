import { beforeEach, expect, test } from "vitest";

import {
  avroCodec,
  StoredSchemaRegistry,
  changeSubjects,
  registerChangeSchemas,
} from "../../connectors/registry/index.ts";
import { InvariantViolation, RecordError, TransientError } from "../../engine/errors.ts";
import { MemoryRegistryStore } from "../../engine/memory/registry-store.ts";
import { frameBytes, framedSchemaId, type EventReader } from "../../engine/ports/codec.ts";
import { defineTopic } from "../../engine/topic.ts";
import { defineEvent } from "../../schemas/avro/index.ts";
import { moduleEvents, ModuleRegistered, RegistrationCancelled } from "../../schemas/index.ts";

let registry: StoredSchemaRegistry;
let nowMs: number;
beforeEach(() => {
  registry = new StoredSchemaRegistry({ store: new MemoryRegistryStore() });
  nowMs = 0;
});

const codecOf = (
  over: Partial<Parameters<typeof avroCodec>[0]> = {},
): ReturnType<typeof avroCodec> =>
  avroCodec({ registry, clock: { monotonicMs: () => nowMs }, ...over });

const registered: ModuleRegistered = {
  registrationId: "r-1",
  moduleCode: "AAA-2013J",
  studentId: "s-1",
  feeCents: 1200,
  enrolmentId: null,
  holdExpiresAt: 1_795_220_983_163,
  acceptedOffer: false,
};

async function read(reader: EventReader, bytes: Uint8Array): Promise<unknown> {
  const buffer = Buffer.from(bytes);
  const id = framedSchemaId(buffer, 0, buffer.length) ?? -1;
  const decoder = reader.known(id) ?? (await reader.learn(id));
  return decoder.type === undefined
    ? undefined
    : [decoder.type, decoder.decode(buffer, frameBytes, buffer.length)];
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(RecordError);
  return (error as RecordError).code;
}

test("prepares a topic under subjects by record name that must stay readable for ever", async () => {
  const codec = codecOf();
  await codec.prepare(moduleEvents);
  await codec.prepare(moduleEvents);
  const subjects = await registry.subjects();
  expect(subjects).toHaveLength(moduleEvents.events.length);
  expect(subjects).toContain("module-events-refold.modules.ModuleOffered");
  for (const subject of subjects) {
    expect(await registry.compatibility(subject)).toBe("BACKWARD_TRANSITIVE");
    expect(await registry.versions(subject)).toHaveLength(1);
  }
});

test("leaves a stricter level of a subject alone", async () => {
  const subject = "module-events-refold.modules.ModuleOffered";
  await registry.setCompatibility("FULL_TRANSITIVE", subject);
  await codecOf().prepare(moduleEvents);
  expect(await registry.compatibility(subject)).toBe("FULL_TRANSITIVE");
});

test("reads what it wrote, and skips event types that it wasn't asked for", async () => {
  const codec = codecOf();
  await codec.prepare(moduleEvents);
  const bytes = codec.encode(moduleEvents, ModuleRegistered, registered);
  expect(await read(codec.events([ModuleRegistered]), bytes)).toEqual([
    "ModuleRegistered",
    registered,
  ]);
  expect(await read(codec.events([RegistrationCancelled]), bytes)).toBeUndefined();
});

test("refuses to encode what was never prepared or doesn't fit", async () => {
  const codec = codecOf();
  const encode =
    (event: unknown): (() => unknown) =>
    () =>
      codec.encode(moduleEvents, ModuleRegistered, event);
  expect(encode(registered)).toThrow(InvariantViolation);
  await codec.prepare(moduleEvents);
  expect(encode({ ...registered, feeCents: "free" })).toThrow(RecordError);
  expect(encode({ ...registered, feeCents: "free" })).toThrow(
    /feeCents: expected a 32-bit integer/,
  );
});

const seatOne = defineEvent({
  type: "record",
  name: "Seat",
  namespace: "t",
  fields: [{ name: "code", type: "string" }],
});
const seatTwo = defineEvent({
  type: "record",
  name: "Seat",
  namespace: "t",
  fields: [
    { name: "code", type: "string" },
    {
      name: "why",
      type: { type: "enum", name: "Why", symbols: ["OTHER", "NEW"], default: "OTHER" },
      default: "OTHER",
    },
    { name: "row", type: ["null", "int"], default: null },
  ],
});
const topicOf = (
  event: typeof seatOne | typeof seatTwo,
): Parameters<ReturnType<typeof avroCodec>["prepare"]>[0] =>
  defineTopic({ name: "seats", key: "code", events: [event] });

test("an older writer's missing fields take defaults, a newer writer's unknown fields are ignored", async () => {
  const older = codecOf();
  await older.prepare(topicOf(seatOne));
  const newer = codecOf();
  await newer.prepare(topicOf(seatTwo));
  const fromOlder = older.encode(topicOf(seatOne), seatOne, { code: "A" });
  const fromNewer = newer.encode(topicOf(seatTwo), seatTwo, { code: "B", why: "NEW", row: 7 });
  expect(await read(newer.events([seatTwo]), fromOlder)).toEqual([
    "Seat",
    { code: "A", why: "OTHER", row: null },
  ]);
  expect(await read(older.events([seatOne]), fromNewer)).toEqual(["Seat", { code: "B" }]);
});

test("a writer that breaks its contract is refused by whoever reads only what it has", async () => {
  const whole = ModuleRegistered.schema;
  const fields = whole.fields.filter(({ name }) => name === "moduleCode");
  const narrow = { ...ModuleRegistered, schema: { ...whole, fields }, contract: whole };
  await registry.setCompatibility("NONE", "other");
  const lacking = whole.fields.filter(({ name }) => name !== "studentId");
  const text = JSON.stringify({ ...whole, fields: lacking });
  const { id } = await registry.register("other", text);
  const codec = codecOf();
  expect(await codeOf(codec.events([narrow]).learn(id))).toBe("schema-incompatible");
  await codec.prepare(moduleEvents);
  const bytes = codec.encode(moduleEvents, ModuleRegistered, registered);
  expect(await read(codec.events([narrow]), bytes)).toEqual([
    "ModuleRegistered",
    { moduleCode: "AAA-2013J" },
  ]);
});

test("bytes that can't be read are a record error, not an outage", async () => {
  const codec = codecOf();
  await codec.prepare(moduleEvents);
  const reader = codec.events([ModuleRegistered]);
  const bytes = codec.encode(moduleEvents, ModuleRegistered, registered);
  expect(await codeOf(read(reader, bytes.subarray(0, 12)))).toBe("decode");
  await registry.setCompatibility("NONE", "other");
  const odd = JSON.stringify({ ...ModuleRegistered.schema, fields: [] });
  const { id } = await registry.register("other", odd);
  expect(await codeOf(reader.learn(id))).toBe("schema-incompatible");
});

test("asks for an unknown id once in a while, however many records bear it", async () => {
  let asked = 0;
  const counting = { schemaById: async (id: number) => ((asked += 1), registry.schemaById(id)) };
  const codec = codecOf({
    registry: Object.assign(Object.create(registry), counting) as typeof registry,
    unknownIdMs: 1000,
  });
  const reader = codec.events([ModuleRegistered]);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    expect(await codeOf(reader.learn(99))).toBe("schema-unknown");
  }
  expect(asked).toBe(1);
  nowMs = 1000;
  expect(await codeOf(reader.learn(99))).toBe("schema-unknown");
  expect(asked).toBe(2);
  const { id } = await registry.register("other", '"string"');
  await Promise.all([reader.learn(id), reader.learn(id), codec.events([]).learn(id)]);
  expect(asked).toBe(3);
});

test("an outage of the registry is told as one, and not remembered", async () => {
  let down = true;
  const failing = {
    schemaById: async (id: number) => {
      if (down) throw new TransientError("connection", "down");
      return registry.schemaById(id);
    },
  };
  const codec = codecOf({
    registry: Object.assign(Object.create(registry), failing) as typeof registry,
  });
  const { id } = await registry.register("other", '"string"');
  const reader = codec.events([ModuleRegistered]);
  await expect(reader.learn(id)).rejects.toThrow(TransientError);
  down = false;
  expect((await reader.learn(id)).type).toBeUndefined();
});

test("keeps at most as many decoders as it may", async () => {
  const codec = codecOf({ decodersMax: 2 });
  const reader = codec.events([]);
  const ids: number[] = [];
  for (const name of ["A", "B", "C"]) {
    const { id } = await registry.register(name, `{"type":"record","name":"${name}","fields":[]}`);
    ids.push(id);
    await reader.learn(id);
  }
  expect(ids.map((id) => reader.known(id) !== undefined)).toEqual([false, true, true]);
});

test("a captured table's subjects promise nothing, so that it may change in any way", async () => {
  const ids = await registerChangeSchemas(registry, {
    topic: "p.s.t",
    key: '"int"',
    value: '"string"',
  });
  const changed = await registerChangeSchemas(registry, {
    topic: "p.s.t",
    key: undefined,
    value: '"boolean"',
  });
  expect(ids).toEqual({ key: 1, value: 2 });
  expect(changed).toEqual({ key: undefined, value: 3 });
  const { key, value } = changeSubjects("p.s.t");
  expect(await registry.compatibility(key)).toBe("NONE");
  expect(await registry.compatibility(value)).toBe("NONE");
});
