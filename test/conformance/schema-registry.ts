import { beforeEach, describe, expect, test } from "vitest";

import { FatalError } from "../../engine/errors.ts";
import type { SchemaRegistry } from "../../engine/ports/schema-registry.ts";
import { parseSchema, schemaText } from "../../schemas/avro/index.ts";

const record = (...fields: readonly unknown[]): string =>
  JSON.stringify({ type: "record", name: "Seat", namespace: "t", fields });
const code = { name: "code", type: "string" };
const one = record(code);
const withDefault = record(code, { name: "held", type: "int", default: 0 });
const withoutDefault = record(code, { name: "held", type: "int" });

/** One spelling for all: registries keep their own, but never another schema. */
const spelling = (text: string | undefined): string => schemaText(parseSchema(text ?? ""));

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(FatalError);
  return (error as FatalError).code;
}

/** What every schema registry must do. `open` gives an empty one. */
export function schemaRegistryConformance(name: string, open: () => Promise<SchemaRegistry>): void {
  describe(`${name} is a schema registry`, () => {
    let registry: SchemaRegistry;
    beforeEach(async () => {
      registry = await open();
    });

    registrations(() => registry);
    levels(() => registry);
  });
}

function registrations(registry: () => SchemaRegistry): void {
  test("gives a schema its id and version, and the same ones again", async () => {
    const first = await registry().register("a", one);
    expect(first).toMatchObject({ subject: "a", version: 1 });
    expect(spelling(first.schema)).toBe(spelling(one));
    expect(await registry().register("a", one)).toEqual(first);
    const second = await registry().register("a", withDefault);
    expect(second).toMatchObject({ subject: "a", version: 2 });
    expect(second.id).toBeGreaterThan(first.id);
    expect(await registry().versions("a")).toEqual([first, second]);
    expect(spelling(await registry().schemaById(second.id))).toBe(spelling(withDefault));
  });

  test("has one id for a schema under two subjects, however it is spelt", async () => {
    const { id } = await registry().register("a", one);
    const spelt =
      '{ "name": "t.Seat", "fields": [{"type": {"type":"string"}, "name": "code"}], "type": "record" }';
    const again = await registry().register("b", spelt);
    expect(again).toMatchObject({ id, subject: "b", version: 1 });
    expect(spelling(again.schema)).toBe(spelling(one));
    expect(await registry().subjects()).toEqual(["a", "b"]);
  });

  test("tells schemas apart that differ only in a default", async () => {
    const other = record(code, { name: "held", type: "int", default: 1 });
    const { id } = await registry().register("a", withDefault);
    expect((await registry().register("a", other)).id).not.toBe(id);
  });

  test("knows nothing of ids and subjects that were never registered", async () => {
    expect(await registry().schemaById(2 ** 31 - 1)).toBeUndefined();
    expect(await registry().schemaById(-1)).toBeUndefined();
    expect(await registry().schemaById(2 ** 31)).toBeUndefined();
    expect(await registry().versions("a")).toEqual([]);
    expect(await registry().subjects()).toEqual([]);
  });

  test("refuses what is no schema, and keeps nothing of it", async () => {
    for (const text of ["not a schema", '{"type":"record","name":"R"}', '{"type":"str"}', ""]) {
      expect(await codeOf(registry().register("a", text))).toBe("schema-invalid");
      expect(await codeOf(registry().check("a", text))).toBe("schema-invalid");
    }
    expect(await registry().subjects()).toEqual([]);
  });

  test("keeps its name", async () => {
    expect(await registry().identity()).toBe(await registry().identity());
    expect((await registry().identity()).length).toBeGreaterThan(0);
  });

  test("gives many that register at once one id and one version", async () => {
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        registry().register("a", index % 2 ? one : withDefault),
      ),
    );
    expect(new Set(made.map((schema) => `${schema.id}/${schema.version}`)).size).toBe(2);
    expect((await registry().versions("a")).map((schema) => schema.version)).toEqual([1, 2]);
    expect(new Set((await registry().versions("a")).map((schema) => schema.id)).size).toBe(2);
  });
}

function levels(registry: () => SchemaRegistry): void {
  test("is BACKWARD where nothing is set, and a subject's own level goes before the global", async () => {
    expect(await registry().compatibility()).toBe("BACKWARD");
    await registry().setCompatibility("FULL", "a");
    await registry().setCompatibility("NONE");
    expect(await registry().compatibility("a")).toBe("FULL");
    expect(await registry().compatibility("b")).toBe("NONE");
    await registry().setCompatibility("FORWARD", "a");
    expect(await registry().compatibility("a")).toBe("FORWARD");
  });

  test("refuses an incompatible schema with reason, path and version, and keeps nothing of it", async () => {
    await registry().register("a", one);
    const found = [
      {
        reason: "READER_FIELD_MISSING_DEFAULT_VALUE",
        path: "/fields/1",
        message: "held",
        version: 1,
      },
    ];
    expect(await registry().check("a", withoutDefault)).toEqual(found);
    await expect(registry().register("a", withoutDefault)).rejects.toThrow(
      /not BACKWARD compatible with subject a: READER_FIELD_MISSING_DEFAULT_VALUE at \/fields\/1/,
    );
    expect(await codeOf(registry().register("a", withoutDefault))).toBe("schema-incompatible");
    expect(await registry().versions("a")).toHaveLength(1);
    expect((await registry().register("b", withoutDefault)).version).toBe(1);
  });

  test("holds a schema against the latest version, or against all where the level is transitive", async () => {
    // Dropping a field is BACKWARD; bringing it back without a default is so only against the latest.
    await registry().register("a", one);
    await registry().register("a", record());
    const again = record({ name: "code", type: "int", default: 0 });
    expect(await registry().check("a", again)).toEqual([]);
    await registry().setCompatibility("BACKWARD_TRANSITIVE", "a");
    expect(await registry().check("a", again)).toMatchObject([
      { reason: "TYPE_MISMATCH", path: "/fields/0/type", version: 1 },
    ]);
  });

  test("compares in the direction of the level", async () => {
    await registry().register("a", withoutDefault);
    const accepted = async (
      level: Parameters<SchemaRegistry["setCompatibility"]>[0],
    ): Promise<boolean> => {
      await registry().setCompatibility(level, "a");
      return (await registry().check("a", one)).length === 0;
    };
    expect(await accepted("BACKWARD")).toBe(true);
    expect(await accepted("BACKWARD_TRANSITIVE")).toBe(true);
    expect(await accepted("FORWARD")).toBe(false);
    expect(await accepted("FORWARD_TRANSITIVE")).toBe(false);
    expect(await accepted("FULL")).toBe(false);
    expect(await accepted("FULL_TRANSITIVE")).toBe(false);
    expect(await accepted("NONE")).toBe(true);
  });
}
