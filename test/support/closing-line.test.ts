import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { projectRoot } from "./source-tree.ts";

/** What vitest prints about a file with this text, and how it ends. */
async function runOf(text: string): Promise<{ readonly code: number; readonly out: string }> {
  // Within the project, where the file finds vitest.
  const root = await mkdtemp(join(projectRoot, "node_modules", ".closing-line-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await writeFile(join(root, "one.test.ts"), text);
  await writeFile(join(root, "vitest.config.ts"), "export default {};\n");
  const vitest = join(projectRoot, "node_modules", "vitest", "vitest.mjs");
  const reporter = join(projectRoot, "test", "support", "closing-line.ts");
  const args = [vitest, "run", "--root", root, "--reporter", reporter];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { cwd: root }, (_, out) =>
      resolve({ code: child.exitCode ?? -1, out }),
    );
  });
}

test("what fails outside of tests is counted and told again: hooks of suites, and what nobody handles", async () => {
  const { code, out } = await runOf(`
    import { afterAll, describe, test } from "vitest";
    describe("a suite", () => {
      afterAll(() => { throw new Error("the hook's own"); });
      test("passes", () => undefined);
      test("leaves something behind", () => void Promise.reject(new Error("left alone")));
    });
  `);
  expect(code).toBe(1);
  const [, told = ""] = out.split(/^(?=failed: )/m);
  expect(told).toMatch(/^failed: \S+one\.test\.ts, suite a suite, outside of its tests\n/);
  expect(out).toContain("Error: the hook's own");
  expect(out).toMatch(/^failed: not handled by any test\nError: left alone/m);
  expect(out.trimEnd().split("\n").at(-1)).toBe("2 passed, 2 failed");
}, 30_000);
