import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";

import { afterEach, beforeEach, expect, test } from "vitest";

import { CommandFailure } from "../../bin/command-failure.ts";
import { schemaCommand } from "../../bin/commands/schema.ts";
import { StoredSchemaRegistry } from "../../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../../engine/memory/registry-store.ts";

let folder: string;
let registry: StoredSchemaRegistry;
let closed: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "refold-schema-"));
  registry = new StoredSchemaRegistry({ store: new MemoryRegistryStore() });
  closed = 0;
  await write("one", '{"type":"record","name":"R","fields":[]}');
  await write("two", '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}');
  await write("bad", '{"type":"record","name":"R","fields":[{"name":"a","type":"str"}]}');
});

afterEach(() => rm(folder, { recursive: true }));

const path = (name: string): string => join(folder, `${name}.avsc`);
const write = (name: string, text: string): Promise<void> => writeFile(path(name), text);

/** What the command writes, and the exit code that it leaves. */
async function run(...args: readonly string[]): Promise<readonly [string, unknown]> {
  let text = "";
  const output = new Writable({
    write(chunk: Buffer, _, done) {
      text += chunk.toString();
      done();
    },
  });
  const connect = async (): Promise<AsyncDisposable & { registry: StoredSchemaRegistry }> => ({
    registry,
    [Symbol.asyncDispose]: async () => void (closed += 1),
  });
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await schemaCommand(connect, output).parseAsync(args, { from: "user" });
    return [text, process.exitCode];
  } finally {
    process.exitCode = before;
  }
}

test("compare says yes with exit code 0 and no with 1, with reason and path", async () => {
  const [yes, zero] = await run("compare", path("one"), path("two"));
  expect([yes.split(":")[0], zero]).toEqual(["Compatible", undefined]);
  const [no, one] = await run("compare", path("two"), path("one"));
  expect(no).toMatch(
    /^Incompatible: .*\n {2}READER_FIELD_MISSING_DEFAULT_VALUE at \/fields\/0: a\n$/,
  );
  expect(one).toBe(1);
});

test("compare gives the verdict as JSON", async () => {
  const [text, code] = await run("compare", path("two"), path("one"), "--json");
  expect(JSON.parse(text)).toEqual({
    compatible: false,
    reader: path("two"),
    writer: path("one"),
    incompatibilities: [
      { reason: "READER_FIELD_MISSING_DEFAULT_VALUE", path: "/fields/0", message: "a" },
    ],
  });
  expect(code).toBe(1);
});

test("check asks the registry and registers nothing", async () => {
  expect((await run("check", "s", path("one")))[0]).toMatch(/no version yet/);
  await registry.register("s", '{"type":"record","name":"R","fields":[]}');
  const [no, code] = await run("check", "s", path("two"));
  expect(no).toMatch(/^Incompatible: s \(BACKWARD, 1 version\) refuses .*\n.*against version 1\n$/);
  expect(code).toBe(1);
  expect((await run("check", "s", path("one")))[0]).toMatch(/^Compatible: s /);
  expect(await registry.versions("s")).toHaveLength(1);
  expect(closed).toBe(3);
});

test("a file that is missing or no schema is named in one sentence, before anything is opened", async () => {
  const failure = async (...args: readonly string[]): Promise<CommandFailure> => {
    const error: unknown = await run(...args).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(CommandFailure);
    return error as CommandFailure;
  };
  expect(await failure("check", "s", path("none"))).toMatchObject({
    exit: "usage",
    message: `${path("none")} can't be read (ENOENT).`,
  });
  expect((await failure("compare", path("bad"), path("one"))).message).toBe(
    `${path("bad")}: Invalid Avro schema at /fields/0/type: no type "str" is defined before this place.`,
  );
  expect(closed).toBe(0);
});
