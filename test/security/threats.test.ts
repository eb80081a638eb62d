import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/** A line of the table: kind, threat, what stands against it, and the test that holds it. */
const line = /^\| ([STRIDE]) \| ([^|]+) \| ([^|]+) \| `([^`|]+)`: ([^|]+) \|$/;

async function threats() {
  const text = await readFile(join(root, "docs/security.md"), "utf8");
  const [, table = ""] = text.split("\n## Threats\n");
  const lines = table.split("\n").filter((one) => /^\| [A-Z] /.test(one));
  return lines.map((one) => {
    const [, kind, threat, , file, name] = line.exec(one) ?? [];
    return { kind, threat, file, name, line: one };
  });
}

test("every threat in docs/security.md names a test that there is", async () => {
  const missing: string[] = [];
  for (const { file, name, line: told } of await threats()) {
    const source = file && (await readFile(join(root, file), "utf8").catch(() => undefined));
    if (name === undefined || !source?.includes(`"${name}"`)) missing.push(told);
  }
  expect(missing).toEqual([]);
});

test("docs/security.md has threats of every kind, each once", async () => {
  const all = await threats();
  expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set("STRIDE"));
  expect(new Set(all.map(({ threat }) => threat)).size).toBe(all.length);
  expect(all.length).toBeGreaterThan(40);
});
