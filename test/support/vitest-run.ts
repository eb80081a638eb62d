import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import { projectRoot } from "./source-tree.ts";

export interface VitestRun {
  /** Of the one test file. */
  readonly text: string;
  /** A file of this folder. */
  readonly reporter: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What vitest prints about a file with this text, and how it ends. */
export async function vitestRun({
  text,
  reporter,
  environment,
}: VitestRun): Promise<{ readonly code: number; readonly out: string }> {
  // Within the project, where the file finds vitest.
  const root = await mkdtemp(join(projectRoot, "node_modules", ".vitest-run-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await writeFile(join(root, "one.test.ts"), text);
  await writeFile(join(root, "vitest.config.ts"), "export default {};\n");
  const vitest = join(projectRoot, "node_modules", "vitest", "vitest.mjs");
  const args = [vitest, "run", "--root", root];
  args.push("--reporter", join(projectRoot, "test", "support", reporter));
  const env = { ...process.env, ...environment };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { cwd: root, env }, (_, out) =>
      resolve({ code: child.exitCode ?? -1, out }),
    );
  });
}
