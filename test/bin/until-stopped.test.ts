import { expect, test } from "vitest";

import { untilStopped } from "../../bin/until-stopped.ts";

const never = new Promise<Error>(() => undefined);

test("a process goes on until somebody wants it to stop", async () => {
  const stop = new AbortController();
  let stopped = false;
  const waiting = untilStopped(stop.signal, [never]).then(() => (stopped = true));
  await Promise.resolve();
  expect(stopped).toBe(false);
  stop.abort();
  await waiting;
  expect(stopped).toBe(true);
});

test("a wish from before is enough", async () => {
  await expect(untilStopped(AbortSignal.abort(), [never])).resolves.toBeUndefined();
});

test("a part that has ended by itself ends the process, with why", async () => {
  const ended = Promise.resolve(new Error("Processing ended: out of order."));
  await expect(untilStopped(new AbortController().signal, [never, ended])).rejects.toThrow(
    "Processing ended: out of order.",
  );
});
