import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { projectRoot } from "../support/source-tree.ts";
import { refold, temporaryFolder } from "./refold-process.ts";

test("help names the commands and what every exit code says", async () => {
  const { code, out } = await refold(["--help"]);
  expect(code).toBe(0);
  for (const name of ["start", "status", "import", "log", "schema"]) expect(out).toContain(name);
  expect(out).toMatch(/4 {2}the data folder is in use/);
});

test("a wrong command line is told in a sentence, with exit code 2", async () => {
  const wrong = [["fly"], ["start", "--port", "x"], ["start", "--host", "0.0.0.0"], ["start", "y"]];
  for (const { code, err } of await Promise.all(wrong.map((args) => refold(args)))) {
    expect(code).toBe(2);
    expect(err.trim()).not.toContain("    at ");
  }
});

test("a database that isn't there ends with exit code 6", async () => {
  const { code, err } = await refold(["start", "--port", "0"], {
    DATABASE_URL: "postgresql://nobody@127.0.0.1:1/none",
  });
  expect(code).toBe(6);
  expect(err).toMatch(/^refold: The database can't be reached .*ECONNREFUSED/);
});

test("a file of settings is ours to read, not Node's", async () => {
  const file = join(await temporaryFolder(), "settings");
  await writeFile(file, "NODE_OPTIONS=--no-such-option\nDATABASE_URL=none:\n");
  const missing = await launched("status", "--env-file", "/nowhere/at/all");
  expect(missing).toEqual({ code: 2, err: "refold: /nowhere/at/all can't be read (ENOENT).\n" });
  const found = await launched("status", "--env-file", file);
  expect(found.err).not.toContain("no-such-option");
  expect(found.err).toMatch(/^refold: /);
});

/** Behind `--` the launcher's own Node doesn't look at the arguments either. */
function launched(...args: readonly string[]): Promise<{ code: unknown; err: string }> {
  const all = ["--", join(projectRoot, "bin", "refold.js"), ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, all, (error, _, err) => resolve({ code: error?.code ?? 0, err }));
  });
}
