import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { makePool, PostgresEventStore } from "../../connectors/postgres/index.ts";
import { PostgresRegistryStore, StoredSchemaRegistry } from "../../connectors/registry/index.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import { makeEncoder, parseSchema } from "../../schemas/avro/index.ts";
import { ModuleCapacityChanged } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { ask, availability, startInstance, type Instance } from "../e2e/refold-instance.ts";
import { refold, temporaryFolder, until } from "../e2e/refold-process.ts";

/** The type as a newer producer has it, whose schema nobody has registered yet. */
const newerSchema = JSON.stringify({
  ...ModuleCapacityChanged.schema,
  fields: [
    ...ModuleCapacityChanged.schema.fields,
    { name: "announcedBy", type: ["null", "string"], default: null },
  ],
});

/** Another program that appends events on the instance's database. */
function producerOn({ database }: Instance) {
  const pool = makePool({ url: database, name: "producer" });
  onTestFinished(() => (pool.ended ? undefined : pool.end()));
  const eventStore = new PostgresEventStore({ pool });
  const encoder = makeEncoder(parseSchema(newerSchema));
  let last = 0;
  return {
    pool,
    registry: new StoredSchemaRegistry({ store: new PostgresRegistryStore({ pool }) }),
    /** Waits for so many letters that fit the condition. */
    untilLetters: (condition: string, count: number) =>
      until(
        async () => {
          const { rowCount } = await pool.query(
            `select 1 from refold.dead_letters where ${condition}`,
          );
          return rowCount === count ? true : undefined;
        },
        20_000,
        () => `${count} letters with ${condition}`,
      ),
    async nextSchemaId(): Promise<number> {
      const { rows } = await pool.query<{ id: number }>(
        "select last_id + 1 as id from refold.registry_contexts where context = '.'",
      );
      return Number(rows[0]?.id);
    },
    async capacity(moduleCode: string, capacity: number, schemaId: number): Promise<void> {
      const event = { moduleCode, capacity, announcedBy: "the faculty" };
      const { name: topic, partitions } = moduleEvents;
      last += 1;
      const newEvent = {
        id: `producer-${last}`,
        type: ModuleCapacityChanged.fullName,
        topic,
        partition: partitionOf(moduleCode, partitions),
        key: moduleCode,
        value: encoder.encode(event, { schemaId }),
        tags: [`module:${moduleCode}`],
        correlationId: "producer",
      };
      await eventStore.append({ events: [newEvent], condition: [] }, { as: "command" });
    },
  };
}

const dlq = async (folder: string, ...args: readonly string[]) => {
  const [command = "", ...rest] = args;
  const ended = await refold(["dlq", command, "--data", folder, ...rest]);
  return {
    ...ended,
    json:
      ended.out.startsWith("[") || ended.out.startsWith("{")
        ? (JSON.parse(ended.out) as unknown)
        : undefined,
  };
};

const capacityOf = (http: string, code: string, capacity: number) =>
  until(
    async () => {
      const { status, body } = await availability(http, code);
      return status === 200 && body["capacity"] === capacity ? body : undefined;
    },
    10_000,
    () => `${code} has ${capacity} seats`,
  );

test("a record that can't be decoded waits with its key until it is redriven, or left out", async () => {
  const folder = join(await temporaryFolder(), "data");
  const instance = await startInstance(folder);
  const producer = producerOn(instance);
  for (const code of ["CS-101", "CS-102"]) {
    await producer.pool.query(
      "insert into catalogue.modules (code, title, capacity, fee_cents) values ($1, 'T', 3, 0)",
      [code],
    );
    await capacityOf(instance.http, code, 3);
  }
  const id = await producer.nextSchemaId();
  await producer.capacity("CS-101", 50, id);
  await producer.capacity("CS-101", 55, id);
  // What the processor decides of this module needs those events too; another module goes on.
  await producer.pool.query("update catalogue.modules set capacity = 60 where code = 'CS-101'");
  await producer.pool.query("update catalogue.modules set capacity = 7 where code = 'CS-102'");
  await capacityOf(instance.http, "CS-102", 7);
  const consumer = "seat-availability";
  await producer.untilLetters(`consumer = '${consumer}'`, 2);
  const { json } = await dlq(folder, "list", "--consumer", consumer, "--json");
  const letters = json as readonly { readonly id: number }[];
  expect(letters).toMatchObject([
    { disposition: "failed", cause: "schema-unknown", key: "CS-101", attempts: 1 },
    { disposition: "waiting", key: "CS-101", attempts: 0 },
  ]);
  expect((await availability(instance.http, "CS-101")).body).toMatchObject({ capacity: 3 });
  const [failed, waiting] = letters.map((letter) => String(letter.id));
  const [shown, status, refused] = await Promise.all([
    dlq(folder, "show", failed ?? ""),
    refold(["status", "--data", folder]),
    dlq(folder, "redrive", waiting ?? ""),
  ]);
  expect(shown.out).toMatch(/state +failed[^]*schema-unknown[^]*ce_sequence: \d+/);
  const ready = await ask(`${instance.http}/readyz`);
  expect(ready.body["consumers"]).toContainEqual(
    expect.objectContaining({ consumer, state: "parked", parkedKeys: 1 }),
  );
  expect(status.out).toContain(`${consumer}: 1 key waits behind dead letters`);

  expect(refused).toMatchObject({
    code: 8,
    err: expect.stringContaining(`letter ${failed}`) as string,
  });
  const early = await dlq(folder, "redrive", failed ?? "");
  expect(early).toMatchObject({
    code: 1,
    out: expect.stringContaining("failed again (tries: 2)") as string,
  });

  await producer.registry.register(
    `${moduleEvents.name}-${ModuleCapacityChanged.fullName}`,
    newerSchema,
  );
  const redriven = await until(
    async () => {
      const ended = await dlq(folder, "redrive", "--consumer", consumer);
      return ended.code === 0 ? ended : undefined;
    },
    20_000,
    () => "the schema is known and the letter redriven",
  );
  expect(redriven.out).toContain("1 of 1 letters redriven");
  await capacityOf(instance.http, "CS-101", 55);
  const decided = await dlq(folder, "redrive", "--consumer", "catalogue");
  expect(decided.out).toContain("1 of 1 letters redriven");
  await capacityOf(instance.http, "CS-101", 60);
  const all = await dlq(folder, "list", "--consumer", consumer, "--state", "all", "--json");
  expect((all.json as { disposition: string }[]).map(({ disposition }) => disposition)).toEqual([
    "redriven",
    "redriven",
  ]);
  expect((await ask(`${instance.http}/readyz`)).body["consumers"]).toContainEqual(
    expect.objectContaining({ consumer, state: "running", parkedKeys: 0 }),
  );

  await producer.capacity("CS-102", 9, 2_000_000);
  const ofTwo = `consumer in ('${consumer}', 'registrations')`;
  await producer.untilLetters(`key = convert_to('CS-102', 'utf8') and ${ofTwo}`, 2);
  const unexplained = await dlq(folder, "discard", "--all");
  expect(unexplained.code).toBe(2);
  const discarded = await dlq(folder, "discard", "--all", "--reason", "Never announced.");
  expect(discarded.code, discarded.out + discarded.err).toBe(0);
  const [open, kept] = await Promise.all([
    dlq(folder, "list"),
    dlq(folder, "list", "--state", "discarded", "--json"),
  ]);
  expect(open.out).toBe("No dead letters.\n");
  expect(kept.json).toContainEqual(
    expect.objectContaining({ key: "CS-102", reason: "Never announced." }),
  );
  expect((await availability(instance.http, "CS-102")).body).toMatchObject({ capacity: 7 });

  await producer.capacity("CS-102", 11, 2_000_000);
  await producer.untilLetters(`disposition = 'failed' and ${ofTwo}`, 2);
  await producer.pool.end();
  instance.process.child.kill("SIGTERM");
  await instance.process.ended;
  const asked = await dlq(folder, "discard", "--all", "--reason", "Nor this.");
  expect(asked, asked.err).toMatchObject({ code: 0 });
  expect(asked.out).toContain("Nothing runs now");
  const { http } = await startInstance(folder);
  await until(
    async () => {
      const { body } = await ask(`${http}/admin/dead-letters`);
      return (body["letters"] as readonly unknown[]).length === 0 ? true : undefined;
    },
    20_000,
    () => "what was asked for is done at the start",
  );
});
