import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { RefoldProcess, temporaryFolder, until } from "./refold-process.ts";

test("what is compiled is kept while the process runs, so that one that is killed leaves it to the next", async () => {
  const folder = await temporaryFolder();
  const cache = join(folder, "compiled");
  const place = ["--data", join(folder, "data"), "--port", "0"];
  const running = new RefoldProcess(["start", ...place], { NODE_COMPILE_CACHE: cache }, "nothing");
  try {
    await running.printed(/http:\/\//);
    const files = await until(
      async () => {
        const found = await readdir(cache, { recursive: true });
        return found.length > 100 ? found : undefined;
      },
      10_000,
      () => `compiled code in ${cache}`,
    );
    expect(files.length).toBeGreaterThan(100);
    expect(running.isRunning).toBe(true);
  } finally {
    running.child.kill("SIGTERM");
    await running.ended;
  }
});
