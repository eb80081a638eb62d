import { expect, test } from "vitest";

import { StopSignals } from "../../bin/stop-signals.ts";

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
