import { expect, test } from "vitest";

import { Ahead } from "../../engine/effects/ahead.ts";
import { WakeUps } from "../../engine/effects/wake-ups.ts";
import type { StoredEffect } from "../../engine/ports/effect-ledger.ts";

test("what is appended together gets no more leases than there is room for, of each kind", () => {
  const wakeUps = new WakeUps();
  const begin = (): void => undefined;
  wakeUps.beginWith("charge", { room: () => ({ effects: 2, leaseMs: 40 }), begin });
  wakeUps.beginWith("mail", { room: () => ({ effects: 1, leaseMs: 10 }), begin });
  const leases = wakeUps.leases();
  const kinds = ["charge", "mail", "charge", "charge", "mail", "unknown"];
  expect(kinds.map(leases)).toEqual([40, 10, 40, undefined, undefined, undefined]);
  expect(kinds.map(wakeUps.leases())).toEqual([40, 10, 40, undefined, undefined, undefined]);
});

test("what is ahead comes out in the order in which it came, however it came", () => {
  const ahead = new Ahead({
    clock: { monotonicMs: () => 0 },
    limits: { aheadMax: 5, leaseMs: 30, tryTimeoutMs: 10 },
  });
  const effect = (key: string): StoredEffect => ({ key }) as StoredEffect;
  const out: (string | undefined)[] = [];
  let left = 0;
  for (let i = 0; i < 60; i += 1) {
    left += ahead.add([effect(`e${i}`)]).length;
    if (i % 3 !== 0) out.push(ahead.next()?.key);
    if (i % 20 === 19) while (ahead.size > 0) out.push(ahead.next()?.key);
  }
  out.push(...ahead.empty().map(({ key }) => key));
  const numbers = out.map((key) => Number(key?.slice(1)));
  expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
  expect(out.length + left).toBe(60);
});
