import { expect, test } from "vitest";

import { Gate } from "../../connectors/accounts/passwords/gate.ts";

test("never more than so many are let in at once, and the first come go first", async () => {
  const gate = new Gate({ runningMax: 2, waitingMax: 10 });
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const pass = (name: number) =>
    gate.pass(async () => {
      running += 1;
      most = Math.max(most, running);
      order.push(name);
      // Others get several turns, in which they would come in if they could.
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
      running -= 1;
      if (name === 3) throw new Error("The place of one that failed is free again.");
    });
  const first = Array.from({ length: 8 }, (_, at) => pass(at));
  await Promise.allSettled(first);
  await Promise.all([8, 9, 10, 11].map(pass));
  expect(most).toBe(2);
  expect(order).toEqual(Array.from({ length: 12 }, (_, at) => at));
});
