import { describe, expect, it } from "vitest";

import { TransientError } from "../../engine/errors.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { MemoryIdempotencyKeys } from "../../engine/memory/idempotency-keys.ts";
import type {
  AppendOptions,
  AppendRequest,
  AppendVerdict,
} from "../../engine/ports/event-store.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { ada, processOn, registrationsIn } from "./keyed-commands.ts";
import { realClock } from "./real-clock.ts";
import { row } from "./server.ts";

type Append = () => Promise<AppendVerdict>;

/** A store whose appends a test can come between. */
class SteeredStore extends MemoryEventStore {
  /** Around each append. */
  around: (append: Append) => Promise<AppendVerdict> = (append) => append();

  override append(request: AppendRequest, options: AppendOptions): Promise<AppendVerdict> {
    return this.around(() => super.append(request, options));
  }
}

async function campusOfOne(capacity = 2) {
  const idempotencyKeys = new MemoryIdempotencyKeys({ clock: realClock });
  const eventStore = new SteeredStore({ clock: realClock, idempotencyKeys });
  const store = { eventStore, idempotencyKeys, codec: new JsonCodec() };
  const server = await processOn(store);
  await server.must(offerModule({ ...row, capacity }));
  return { ...server, store, registrations: () => registrationsIn(store) };
}

const down = (): TransientError => new TransientError("unreachable", "the store is away");

describe("a command with an Idempotency-Key", () => {
  it("gets its first answer when it comes again, byte for byte, and is not done again", async () => {
    const { register, registrations } = await campusOfOne();
    const first = await register('"key-1"');
    const again = await register('"key-1"');
    expect(first.statusCode).toBe(201);
    expect(first.headers["idempotency-replayed"]).toBeUndefined();
    expect(again.statusCode).toBe(201);
    expect(again.headers["idempotency-replayed"]).toBe("true");
    expect(again.body).toBe(first.body);
    for (const name of ["content-type", "location", "refold-position"]) {
      expect(again.headers[name]).toBe(first.headers[name]);
    }
    expect(await registrations()).toBe(1);
  });

  it("gets its refusal again, even when it would be accepted by now", async () => {
    const { register, must } = await campusOfOne(0);
    const refused = await register("key-1");
    await must(offerModule({ ...row, capacity: 5 }));
    const again = await register("key-1");
    expect(refused.statusCode).toBe(409);
    expect(again.statusCode).toBe(409);
    expect(again.body).toBe(refused.body);
    expect(again.headers["content-type"]).toBe(refused.headers["content-type"]);
    expect((await register("key-2")).statusCode).toBe(201);
  });

  it("is the same whether its key is quoted, and in whatever order its body stands", async () => {
    const { register } = await campusOfOne();
    const one = await register('"key-1"', { moduleCode: "MA101", studentId: "ada" });
    const other = await register("key-1", { studentId: "ada", moduleCode: "MA101" });
    expect(other.body).toBe(one.body);
    expect(other.headers["idempotency-replayed"]).toBe("true");
  });

  it("is refused with 422 when its key came with another request", async () => {
    const { register, registrations } = await campusOfOne();
    await register("key-1");
    const other = await register("key-1", { ...ada, studentId: "bob" });
    expect(other.statusCode).toBe(422);
    expect(other.json()).toMatchObject({ code: "idempotency-key-reused" });
    expect(await registrations()).toBe(1);
  });

  it("shares its key with no other route, and with its own for one path only", async () => {
    const { register, remove } = await campusOfOne();
    const { registrationId } = (await register("key-1")).json<{ registrationId: string }>();
    const removed = await remove(registrationId, "key-1");
    expect(removed.json()).toMatchObject({ status: "cancelled" });
    expect((await remove("another", "key-1")).statusCode).toBe(422);
  });

  it("that found nothing to do is told again, with a position that has what it found", async () => {
    const { register, remove } = await campusOfOne();
    const { registrationId } = (await register("key-1")).json<{ registrationId: string }>();
    const removed = await remove(registrationId, "key-2");
    const twice = await remove(registrationId, "key-3");
    const again = await remove(registrationId, "key-3");
    expect(again.headers["idempotency-replayed"]).toBe("true");
    expect(again.body).toBe(removed.body);
    expect(again.headers["refold-position"]).toBe(removed.headers["refold-position"]);
    expect(twice.headers["refold-position"]).toBe(removed.headers["refold-position"]);
  });

  it("is answered 409 while the first is under way in this process, and as that one afterwards", async () => {
    const { store, register, registrations } = await campusOfOne();
    const gate = Promise.withResolvers<void>();
    store.eventStore.around = (append) => gate.promise.then(append);
    const first = register("key-1");
    await expect.poll(async () => (await register("key-1")).statusCode).toBe(409);
    const meanwhile = await register("key-1");
    expect(meanwhile.json()).toMatchObject({ code: "idempotency-key-in-progress" });
    expect(meanwhile.headers["retry-after"]).toBe("1");
    expect((await register("key-1", { ...ada, studentId: "bob" })).statusCode).toBe(422);
    gate.resolve();
    expect((await first).statusCode).toBe(201);
    expect((await register("key-1")).body).toBe((await first).body);
    expect(await registrations()).toBe(1);
  });

  it("is answered 409 while another process is at it", async () => {
    const { store, registrations } = await campusOfOne();
    const find = async (of: { scope: string; key: string }) => ({ state: "in-progress", ...of });
    const other = await processOn({ ...store, idempotencyKeys: { find } as never });
    const response = await other.register("key-1");
    expect(response.statusCode).toBe(409);
    expect(response.json()).toMatchObject({ code: "idempotency-key-in-progress" });
    expect(await registrations()).toBe(0);
  });

  it("is done once when two processes decide it at once", async () => {
    const { store, register, registrations } = await campusOfOne();
    const other = await processOn(store);
    // Both have looked for the key, and found nothing, when the first of them appends.
    const both = Promise.withResolvers<void>();
    let waiting = 0;
    store.eventStore.around = async (append) => {
      waiting += 1;
      if (waiting === 2) both.resolve();
      await both.promise;
      return append();
    };
    const answers = await Promise.all([register("key-1"), other.register("key-1")]);
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([201, 201]);
    expect(answers[1]?.body).toBe(answers[0]?.body);
    const replayed = answers.filter(({ headers }) => headers["idempotency-replayed"] === "true");
    expect(replayed).toHaveLength(1);
    expect(await registrations()).toBe(1);
  });

  it("has its key back when its append came to nothing", async () => {
    const { store, register, registrations } = await campusOfOne();
    store.eventStore.around = () => Promise.reject(down());
    expect((await register("key-1")).statusCode).toBe(503);
    store.eventStore.around = (append) => append();
    const again = await register("key-1");
    expect(again.statusCode).toBe(201);
    expect(again.headers["idempotency-replayed"]).toBeUndefined();
    expect(await registrations()).toBe(1);
  });

  it("finds out by its key what became of an append whose answer was lost", async () => {
    const { store, register, registrations } = await campusOfOne();
    store.eventStore.around = async (append) => {
      await append();
      throw down();
    };
    expect((await register("key-1")).statusCode).toBe(503);
    store.eventStore.around = (append) => append();
    const again = await register("key-1");
    expect(again.statusCode).toBe(201);
    expect(again.headers["idempotency-replayed"]).toBe("true");
    expect(await registrations()).toBe(1);
  });

  it("has its key back when the request made no sense, or an import held the store", async () => {
    const { store, register } = await campusOfOne();
    expect((await register("key-1", { moduleCode: "MA101" })).statusCode).toBe(400);
    store.eventStore.around = async () => ({ outcome: "held", by: "import oulad" });
    expect((await register("key-1")).statusCode).toBe(503);
    store.eventStore.around = (append) => append();
    expect((await register("key-1")).statusCode).toBe(201);
  });

  it("is refused with 503 when as many as may be are under way", async () => {
    const { store } = await campusOfOne();
    const { register } = await processOn(store, { keyedCommandsMax: 1 });
    const gate = Promise.withResolvers<void>();
    store.eventStore.around = (append) => gate.promise.then(append);
    const first = register("key-1");
    await expect.poll(async () => (await register("key-1")).statusCode).toBe(409);
    const second = await register("key-2");
    expect(second.statusCode).toBe(503);
    expect(second.json()).toMatchObject({ code: "overloaded" });
    gate.resolve();
    expect((await first).statusCode).toBe(201);
    expect((await register("key-2", { ...ada, studentId: "bob" })).statusCode).toBe(201);
  });

  it.each([
    ["nothing", ""],
    ["an empty text", '""'],
    ["a text that is too long", `"${"k".repeat(256)}"`],
    ["bare text that is too long", "k".repeat(256)],
    ["a quote that isn't closed", '"key'],
    ["a quote within", '"k"ey"'],
    ["a lone backslash", '"k\\ey"'],
    ["several keys", '"one", "two"'],
    ["bare keys in a list", "one,two"],
    ["a parameter", '"key";p=1'],
    ["blanks in bare text", "one two"],
    ["letters outside ASCII", '"ключ"'],
  ])("is refused with 400 where the key is %s", async (_, key) => {
    const { register, registrations } = await campusOfOne();
    const response = await register(key);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code: "idempotency-key-invalid" });
    expect(await registrations()).toBe(0);
  });

  it.each([
    ["one character", '"k"'],
    ["255 characters", `"${"k".repeat(255)}"`],
    ["a UUID without quotes", "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ["base64", "a+b/c=="],
    ["blanks and an escaped quote", '"a \\" b \\\\"'],
  ])("is taken where the key is %s", async (_, key) => {
    const { register } = await campusOfOne();
    const first = await register(key);
    expect(first.statusCode).toBe(201);
    expect((await register(key)).body).toBe(first.body);
  });
});
