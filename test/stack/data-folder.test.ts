import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { expect, onTestFinished, test } from "vitest";

import { holdFolder, openFolder } from "../../stack/data-folder/data-folder.ts";
import { readInstance } from "../../stack/data-folder/instance-file.ts";
import { FolderLock } from "../../stack/data-folder/lock.ts";

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "refold-folder-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Another process that holds the folder until it is killed. */
async function anotherHolder(path: string): Promise<ChildProcess> {
  const source = pathToFileURL(join(process.cwd(), "stack/data-folder/data-folder.ts")).href;
  const script = `
    const { holdFolder } = await import(${JSON.stringify(source)});
    globalThis.held = await holdFolder({ path: process.argv[1], command: "start", missing: "make" });
    console.log("held");
    setInterval(() => {}, 1000);`;
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script, path],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

test("a folder is made, told of, and left without instance file when given back", async () => {
  const path = join(await temporaryFolder(), "deep", "data");
  const held = await holdFolder({ path, command: "start", missing: "make" });
  await held.announce({ databaseUrl: "postgresql://x" });
  expect(await readInstance(path)).toMatchObject({
    pid: process.pid,
    command: "start",
    databaseUrl: "postgresql://x",
  });
  expect((await stat(join(path, "instance.json"))).mode & 0o077).toBe(0);
  await held[Symbol.asyncDispose]();
  expect(await readdir(path)).toEqual(["lock"]);
  await using again = await holdFolder({ path, command: "start", missing: "refuse" });
  expect(again.path).toBe(path);
});

test("a second process is told which process holds the folder, and since when", async () => {
  const path = await temporaryFolder();
  const child = await anotherHolder(path);
  const instance = await readInstance(path);
  await expect(holdFolder({ path, command: "start", missing: "make" })).rejects.toMatchObject({
    fault: "in-use",
    message: expect.stringContaining(
      `process ${child.pid} (refold start), since ${instance?.startedAt}`,
    ),
  });
});

test("a holder that is killed holds nothing any more, whatever its instance file says", async () => {
  const path = await temporaryFolder();
  const child = await anotherHolder(path);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await readInstance(path)).toMatchObject({ pid: child.pid });
  const use = await openFolder({ path, command: "status", missing: "refuse" });
  expect(use.kind).toBe("held");
  if (use.kind === "held") await use.folder[Symbol.asyncDispose]();
});

test("within a process, too, a folder is held once", async () => {
  const path = await temporaryFolder();
  using lock = FolderLock.tryAcquire(path);
  expect(lock).toBeDefined();
  expect(FolderLock.tryAcquire(path, 0)).toBeUndefined();
});

test("a folder that isn't there is refused where none is to be made", async () => {
  const path = join(await temporaryFolder(), "none");
  await expect(openFolder({ path, command: "status", missing: "refuse" })).rejects.toMatchObject({
    fault: "missing",
  });
});

test("a file in the folder's place, and a lock that is something else, are broken folders", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "file");
  await writeFile(file, "x");
  const options = { command: "start", missing: "make" } as const;
  await expect(openFolder({ path: file, ...options })).rejects.toMatchObject({ fault: "broken" });
  await expect(openFolder({ path: join(file, "below"), ...options })).rejects.toMatchObject({
    fault: "broken",
  });
  await writeFile(join(folder, "lock"), "not a database, and longer than its header ".repeat(9));
  await expect(openFolder({ path: folder, ...options })).rejects.toMatchObject({
    fault: "broken",
    message: expect.stringContaining("is not a lock file of Refold"),
  });
});
