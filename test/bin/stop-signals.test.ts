import { spawn } from "node:child_process";
import { once } from "node:events";

import { expect, onTestFinished, test } from "vitest";

import { StopSignals } from "../../bin/stop-signals.ts";

/** A process with a channel to this one, which does what `code` says and has `StopSignals`. */
function launched(code: string) {
  const module = import.meta.resolve("../../bin/stop-signals.ts");
  const whole = `import { StopSignals } from ${JSON.stringify(module)};
    ${code}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", whole], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

test("signals that come together are one wish to stop, and a later one ends at once", () => {
  let nowMs = 0;
  let ended = 0;
  using signals = new StopSignals(
    () => (ended += 1),
    () => nowMs,
  );
  expect(signals.stop.aborted).toBe(false);
  process.emit("SIGINT");
  expect(signals.stop.aborted).toBe(true);
  nowMs = 300;
  process.emit("SIGINT");
  expect(ended).toBe(0);
  nowMs = 900;
  process.emit("SIGTERM");
  expect(ended).toBe(1);
});

test("listens no more once disposed of", () => {
  const before = process.listenerCount("SIGINT");
  {
    using _ = new StopSignals(() => undefined);
    expect(process.listenerCount("SIGINT")).toBe(before + 1);
  }
  expect(process.listenerCount("SIGINT")).toBe(before);
});

test("a process that only listens for the end of its launcher ends by itself", async () => {
  const child = launched("const signals = new StopSignals(() => undefined);");
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("a process that waits for messages stays, whatever listens to stop signals in it", async () => {
  const child = launched(`
    process.on("message", () => process.send("heard"));
    const signals = new StopSignals(() => undefined);
    // It would end for want of anything to do, long before the answer comes.
    process.on("beforeExit", () => process.send("ends"));
    process.send("waits");
  `);
  expect((await once(child, "message"))[0]).toBe("waits");
  child.send("something");
  expect((await once(child, "message"))[0]).toBe("heard");
});
