import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { projectRoot } from "../support/source-tree.ts";
import { InstalledPackage } from "./installed-package.ts";

const linesMax = 60;

/** The file that the documentation shows, and what it says that the file prints. */
async function documented(): Promise<{ file: string; prints: string }> {
  const text = await readFile(join(projectRoot, "docs", "your-own-domain.md"), "utf8");
  const file = /```ts\n(.*?)```/s.exec(text)?.[1] ?? "";
  const prints = /```\n(accepted .*?)```/s.exec(text)?.[1] ?? "";
  return { file, prints };
}

test("another domain in one file works from the packed package, as documented", async () => {
  const { file, prints } = await documented();
  expect(file.trimEnd().split("\n").length).toBeLessThanOrEqual(linesMax);
  const installed = await InstalledPackage.make();
  onTestFinished(() => installed[Symbol.asyncDispose]());
  await writeFile(join(installed.folder, "shop.ts"), file);
  expect(await installed.typeFaults("shop.ts")).toBe("");
  expect(await installed.node("shop.ts")).toBe(prints);
  expect(await installed.node("shop.ts")).toBe(prints.replace("accepted", "refused"));
});
