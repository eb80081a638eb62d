import { beforeEach, describe, expect, test } from "vitest";

import type { RegistryChange, RegistryStore } from "../../engine/ports/registry-store.ts";

const seats = { context: ".", subject: "seats" };
const staged = { context: ".staging", subject: "seats" };

const fingerprint = (of: string): Buffer => Buffer.from(of.padEnd(32, "."));

/** A schema under the next id, as the next version of a subject. */
async function added(
  change: RegistryChange,
  { schema, name = seats, version = 1 }: { schema: string; name?: typeof seats; version?: number },
): Promise<number> {
  const id = await change.newId(name.context);
  const references = schema === "b" ? [{ name: "a", subject: "seats", version: 1 }] : [];
  await change.addSchema(name.context, {
    id,
    schema,
    references,
    fingerprint: fingerprint(schema),
  });
  await change.putVersion(name, { version, id });
  return id;
}

/** What every store of a registry must do. `open` gives an empty one. */
export function registryStoreConformance(name: string, open: () => Promise<RegistryStore>): void {
  describe(`${name} keeps a registry`, () => {
    let store: RegistryStore;
    beforeEach(async () => {
      store = await open();
    });

    changes(() => store);
    contents(() => store);
  });
}

function changes(store: () => RegistryStore): void {
  test("keeps nothing of a change that rejects, and rejects with its error", async () => {
    const reason = new Error("no");
    const change = store().change(".staging", async (made) => {
      await added(made, { schema: "a", name: staged });
      await made.putSettings(staged, { mode: "READONLY" });
      throw reason;
    });
    await expect(change).rejects.toBe(reason);
    expect(await store().versionsOf(staged)).toEqual([]);
    expect(await store().settings(staged)).toEqual({});
    expect(await store().contexts()).toEqual(["."]);
    expect(await store().lastId(".staging")).toBe(0);
  });

  test("lets changes of a context follow each other, each seeing what the last one left", async () => {
    const versions = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        store().change(".", async (made) => {
          const version = (await made.versionsOf(seats)).length + 1;
          await added(made, { schema: `s${index}`, version });
          return version;
        }),
      ),
    );
    expect(versions.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await store().lastId(".")).toBe(8);
  });

  test("goes on after a change that rejected", async () => {
    await expect(store().change(".", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await store().change(".", (made) => added(made, { schema: "a" }))).toBe(1);
  });

  test("gives no id twice, and none up to one that was taken", async () => {
    await store().change(".", async (made) => {
      expect(await made.newId(".")).toBe(1);
      await made.raiseLastId(".", 40);
      await made.raiseLastId(".", 30);
      expect(await made.newId(".")).toBe(41);
    });
    expect(await store().lastId(".")).toBe(41);
    expect(await store().change(".staging", (made) => made.newId(".staging"))).toBe(1);
  });
}

function contents(store: () => RegistryStore): void {
  test("finds versions by subject, by id, by context and prefix, and by what they refer to", async () => {
    await store().change(".", async (made) => {
      await added(made, { schema: "a" });
      await added(made, { schema: "b", version: 2 });
      await made.putVersion({ context: ".", subject: "other" }, { version: 1, id: 1 });
    });
    await store().change(".staging", (made) => added(made, { schema: "a", name: staged }));
    const [first, second] = await store().versionsOf(seats);
    expect(first).toMatchObject({ name: seats, version: 1, id: 1, schema: "a", deleted: false });
    expect(second?.references).toEqual([{ name: "a", subject: "seats", version: 1 }]);
    const subjects = async (of: Promise<readonly { name: typeof seats }[]>) =>
      (await of).map(({ name }) => `${name.context} ${name.subject}`);
    expect(await subjects(store().versionsWith(".", 1))).toEqual([". other", ". seats"]);
    expect(await subjects(store().select({ prefix: "s" }))).toEqual([
      ". seats",
      ". seats",
      ".staging seats",
    ]);
    expect(await subjects(store().select({ context: ".staging", prefix: "" }))).toHaveLength(1);
    expect(await store().referrers("seats", 1)).toEqual([second]);
    expect(await store().referrers("seats", 2)).toEqual([]);
    expect(await store().idOf(".", fingerprint("b"))).toBe(2);
    expect(await store().idOf(".staging", fingerprint("b"))).toBeUndefined();
  });

  test("hides versions, which then refer to nothing, and puts others in their place", async () => {
    await store().change(".", async (made) => {
      await added(made, { schema: "a" });
      await added(made, { schema: "b", version: 2 });
      await made.hide(seats, [2]);
    });
    expect((await store().versionsOf(seats)).map((one) => one.deleted)).toEqual([false, true]);
    expect(await store().referrers("seats", 1)).toEqual([]);
    const whole = async () =>
      (await store().subjects({ prefix: "" })).map(({ name, deleted }) => [name.subject, deleted]);
    expect(await whole()).toEqual([["seats", false]]);
    await store().change(".", (made) => made.hide(seats, [1]));
    expect(await whole()).toEqual([["seats", true]]);
    await store().change(".", (made) => made.putVersion(seats, { version: 1, id: 1 }));
    await store().change(".", (made) => made.putVersion(seats, { version: 2, id: 1 }));
    expect((await store().versionsOf(seats)).map((one) => [one.id, one.deleted])).toEqual([
      [1, false],
      [1, false],
    ]);
  });

  test("removes versions with the schemas that none has any more, but none that frames", async () => {
    await store().change(".", async (made) => {
      await added(made, { schema: "a" });
      await added(made, { schema: "b", version: 2 });
      await added(made, { schema: "c", version: 3 });
      await made.putVersion({ context: ".", subject: "other" }, { version: 1, id: 3 });
      await made.markFraming(".", 2);
      await made.remove(seats, [1, 2, 3]);
    });
    expect(await store().versionsOf(seats)).toEqual([]);
    expect(await store().schema(".", 1)).toBeUndefined();
    expect(await store().schema(".", 2)).toMatchObject({ schema: "b", framing: true });
    expect(await store().schema(".", 3)).toMatchObject({ schema: "c", framing: false });
  });

  test("puts settings in place of those that a name had", async () => {
    await store().change(".", (made) =>
      made.putSettings(seats, { compatibility: "FULL", mode: "READONLY", normalize: false }),
    );
    expect(await store().settings(seats)).toEqual({
      compatibility: "FULL",
      mode: "READONLY",
      normalize: false,
    });
    await store().change(".", (made) => made.putSettings(seats, { mode: "IMPORT" }));
    expect(await store().settings(seats)).toEqual({ mode: "IMPORT" });
    await store().change(".", (made) => made.putSettings(seats, {}));
    expect(await store().settings(seats)).toEqual({});
    expect(await store().settings(staged)).toEqual({});
  });
}
