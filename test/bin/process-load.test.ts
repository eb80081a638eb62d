import { expect, test } from "vitest";

import { ProcessLoad } from "../../bin/system/load.ts";

const backlog = () => ({ calls: 3, oldestMs: 250 });

test("the load is that of an idle event loop, and the decider's backlog", async () => {
  using load = new ProcessLoad({ backlog });
  await expect.poll(() => load.now().loopDelayMs, { timeout: 3_000 }).toBeLessThan(100);
  expect(load.now()).toMatchObject({ backlogAgeMs: 250, backlog: 3 });
});

test("an event loop whose turns are long is told as late, and as well again afterwards", async () => {
  using load = new ProcessLoad({ backlog });
  let busy = true;
  const work = (): void => {
    const untilMs = performance.now() + 150;
    while (performance.now() < untilMs);
    if (busy) setTimeout(work, 0);
  };
  work();
  await expect.poll(() => load.now().loopDelayMs, { timeout: 5_000 }).toBeGreaterThan(80);
  busy = false;
  await expect.poll(() => load.now().loopDelayMs, { timeout: 5_000 }).toBeLessThan(40);
});
