import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";

import { pagePolicy } from "../../api/page/policy.ts";
import { RefoldProcess, temporaryFolder } from "../e2e/refold-process.ts";
import { projectRoot } from "../support/source-tree.ts";
import { InstalledPackage } from "./installed-package.ts";

const linesMax = 60;
const longMs = 180_000;

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await InstalledPackage.make();
}, longMs);

afterAll(() => installed[Symbol.asyncDispose]());

/** The installed program, asking who somebody is unless it is told not to. */
const refold = (args: readonly string[]): RefoldProcess =>
  new RefoldProcess(args, { REFOLD_AUTH: "on" }, installed);

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
  await writeFile(join(installed.folder, "shop.ts"), file);
  expect(await installed.typeFaults("shop.ts")).toBe("");
  expect(await installed.node("shop.ts")).toBe(prints);
  expect(await installed.node("shop.ts")).toBe(prints.replace("accepted", "refused"));
});

test("the packed package serves the page, its scripts and their library, under the page's policy", async () => {
  const { url } = await started();
  const files = [
    ["/", "text/html; charset=utf-8", "<!doctype html>"],
    ["/page/main.js", "text/javascript; charset=utf-8", "import "],
    ["/page/lit-html.js", "text/javascript; charset=utf-8", "export{"],
    ["/page/page.css", "text/css; charset=utf-8", "{"],
  ] as const;
  for (const [path, media, text] of files) {
    const response = await fetch(url + path);
    expect([path, response.status]).toEqual([path, 200]);
    expect(response.headers.get("content-type")).toBe(media);
    expect(response.headers.get("content-security-policy")).toBe(pagePolicy);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect((await response.text()).toLowerCase()).toContain(text);
  }
});

test("whom the packed program's users add makes can sign in", async () => {
  const { url, data } = await started();
  const added = await refold(["users", "add", "olga", "--role", "operator", ...data]).ended;
  const [, password] = /shown this once: (\S+)/.exec(added.out) ?? [];
  expect([added.code, added.err, password]).toEqual([0, "", expect.any(String)]);
  const response = await fetch(`${url}/sessions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user: "olga", password }),
  });
  expect(await response.json()).toMatchObject({ subject: "olga", role: "operator" });
});

test("the packed program knows the demo", async () => {
  const { code, out, err } = await refold(["demo", "--help"]).ended;
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain("Usage: refold demo");
});

/** The installed program on a folder of its own, until the test has finished. */
async function started(): Promise<{ readonly url: string; readonly data: readonly string[] }> {
  const data = ["--data", await temporaryFolder()];
  const server = refold(["start", "--port", "0", ...data]);
  onTestFinished(async () => {
    server.child.kill("SIGTERM");
    await server.ended;
  });
  const [, url = ""] = await server.printed(/listens on (http:\S+)/, longMs);
  return { url, data };
}
