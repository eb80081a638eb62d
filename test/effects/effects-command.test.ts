import { expect, test } from "vitest";

import { effectJson, effectsTable, effectText } from "../../bin/effects/effect-text.ts";
import { retryChoiceOf, retryEffects } from "../../bin/effects/retry.ts";
import { effectLines, effectsStatus } from "../../bin/status/effects-report.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryEffectLedger } from "../../engine/memory/effect-ledger.ts";

/** Three charges: `a` was given up, `b` is under way, `c` waits. */
async function ledger(): Promise<MemoryEffectLedger> {
  const clock = new ManualClock();
  const made = new MemoryEffectLedger({ clock });
  const wanted = { kind: "charge", correlationId: "c1", tags: ["order:1"], secret: "tok_secret" };
  const request = (key: string): void => {
    made.request([{ ...wanted, key: `charge/${key}`, input: { order: key } }]);
  };
  request("a");
  await made.take({ kinds: ["charge"], limit: 1, leaseMs: 1_000 });
  await made.giveUp("charge/a", "card-unreadable: It can't be read.\nat the bank");
  clock.advance(2_000);
  request("b");
  await made.take({ kinds: ["charge"], limit: 1, leaseMs: 1_000 });
  request("c");
  return made;
}

const found = async (of: MemoryEffectLedger, key: string) => {
  const effect = await of.find(key);
  if (effect === undefined) throw new Error(`There is no ${key}.`);
  return effect;
};

test("effects are listed a line each, with the first line of their errors", async () => {
  const text = effectsTable(await (await ledger()).list({ limit: 10 }));
  expect(text.split("\n")).toEqual([
    "state      key       tries  wanted                    next                      error",
    "failed     charge/a      1  2026-01-01T00:00:00.000Z                            " +
      "card-unreadable: It can't be read.",
    "started    charge/b      1  2026-01-01T00:00:02.000Z",
    "requested  charge/c      0  2026-01-01T00:00:02.000Z  2026-01-01T00:00:02.000Z",
  ]);
  expect(effectsTable([])).toBe("No effects.");
});

test("an effect's secret is told as being there, and never shown", async () => {
  const made = await ledger();
  const effect = await found(made, "charge/c");
  expect(effect.secret).toBe("tok_secret");
  const shown = `${effectText(effect)} ${JSON.stringify(effectJson(effect))}`;
  expect(shown).toContain("(kept until the effect is over)");
  expect(shown).not.toContain("tok_secret");
  expect(effectJson(effect)).toMatchObject({ key: "charge/c", state: "requested", attempts: 0 });
});

test("what was given up is tried again by its key, its kind, or with all", async () => {
  for (const choice of [
    { choice: "key", key: "charge/a" },
    { choice: "kind", kind: "charge" },
    { choice: "all" },
  ] as const) {
    const made = await ledger();
    expect(await retryEffects(made, choice)).toEqual({ retried: 1, more: false });
    expect((await found(made, "charge/a")).state).toBe("requested");
  }
  expect(await retryEffects(await ledger(), { choice: "kind", kind: "refund" })).toEqual({
    retried: 0,
    more: false,
  });
});

test("a key that isn't there, and an effect that wasn't given up, are refused by name", async () => {
  const made = await ledger();
  await expect(retryEffects(made, { choice: "key", key: "charge/x" })).rejects.toMatchObject({
    exit: "nothingThere",
    message: expect.stringContaining("charge/x"),
  });
  await expect(retryEffects(made, { choice: "key", key: "charge/b" })).rejects.toMatchObject({
    exit: "refused",
    message: expect.stringContaining("started"),
  });
});

test.each([
  [undefined, {}],
  ["charge/a", { all: true }],
  [undefined, { all: true, kind: "charge" }],
] as const)("a retry of %s with %o names nothing, or too much", (key, options) => {
  expect(() => retryChoiceOf(key, options)).toThrow(/Name one effect by its key/);
});

test("the status tells a line for each kind that has something open", async () => {
  const status = effectsStatus(await (await ledger()).counts());
  expect(status).toEqual([
    { kind: "charge", requested: 1, started: 1, failed: 1, oldestSeconds: 2 },
  ]);
  expect(effectLines(status)).toEqual([
    "effects charge: 1 wait, 1 under way, 1 given up (see refold effects list --state failed); " +
      "the oldest is 2.0 s old",
  ]);
  expect(effectLines(effectsStatus())).toEqual([]);
});
