import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { startInstance as start } from "./refold-instance.ts";
import { refold, temporaryFolder, until } from "./refold-process.ts";

test("a program whose launcher is killed drains and gives the folder back", async () => {
  const folder = join(await temporaryFolder(), "data");
  const first = await start(folder);
  first.process.child.kill("SIGKILL");
  await first.process.ended;
  const second = await until(
    async () => {
      const ended = await refold(["status", "--data", folder, "--json"]);
      return ended.code === 0 && ended.out.includes('"running": false') ? ended : undefined;
    },
    30_000,
    () => "the folder given back",
  );
  expect(JSON.parse(second.out)).toMatchObject({ hold: null });
});

test("a second instance on the folder, a taken port and a broken folder each have their sentence and exit code", async () => {
  const folder = join(await temporaryFolder(), "data");
  const started = await start(folder);
  const { port } = new URL(started.http);

  const [second, taken] = await Promise.all([
    refold(["start", "--data", folder, "--port", "0"]),
    refold(["start", "--data", `${folder}-other`, "--port", port]),
  ]);
  expect(second.code).toBe(4);
  expect(second.err).toMatch(
    /^refold: The data folder .* is in use by process \d+ \(refold start\), since 20.*\n$/,
  );
  expect(taken.code).toBe(3);
  expect(taken.err).toMatch(new RegExp(`^refold: Port ${port} on 127.0.0.1 is taken: .*\\n$`));
});

test("a port that is taken by a stranger is told before anything is started", async () => {
  const folder = join(await temporaryFolder(), "data");
  const stranger = createServer();
  stranger.listen(0, "127.0.0.1");
  await once(stranger, "listening");
  onTestFinished(() => void stranger.close());
  const { port } = stranger.address() as AddressInfo;
  const { code } = await refold(["start", "--data", folder, "--port", String(port)]);
  expect(code).toBe(3);
});

test("a folder whose database is broken is told by name with exit code 5", async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "postgres"));
  await writeFile(join(folder, "postgres", "PG_VERSION"), "12\n");
  await writeFile(join(folder, "postgres.password"), "x");
  const { code, err } = await refold(["start", "--data", folder, "--port", "0"]);
  expect(code).toBe(5);
  expect(err).toMatch(/^refold: .* is not a data folder of Postgres 18 \(it was made by 12\)/);
});

test("a folder that isn't there is told to commands that only read, with exit code 9", async () => {
  const { code, err } = await refold(["status", "--data", "/nowhere/at/all"]);
  expect(code).toBe(9);
  expect(err).toMatch(/There is no data folder/);
});
