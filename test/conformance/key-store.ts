import { expect, test } from "vitest";

import type { KeyStore, StoredKey } from "../../connectors/accounts/index.ts";

const dayMs = 86_400_000;

export const keyAt = (kid: string, signsFromMs: number): StoredKey => ({
  kid,
  privateJwk: { kty: "OKP", crv: "Ed25519", x: "x", d: `secret-${kid}` },
  madeAtMs: signsFromMs - dayMs,
  signsFromMs,
  signsUntilMs: signsFromMs + 30 * dayMs,
  verifiesUntilMs: signsFromMs + 31 * dayMs,
});

/** What every store of signing keys promises. */
export function keyStoreSuite(open: () => Promise<KeyStore>): void {
  const first = keyAt("first", Date.UTC(2026, 0, 1));
  const second = keyAt("second", Date.UTC(2026, 1, 1));

  test("begins without keys, and gives back what is put, the oldest first", async () => {
    const store = await open();
    expect(await store.keys()).toEqual([]);
    expect(await store.change(async () => [first, second])).toEqual([first, second]);
    expect(await store.keys()).toEqual([first, second]);
  });

  test("puts what a change makes in place of all: keys go, and get other times", async () => {
    const store = await open();
    await store.change(async () => [first, second]);
    const ended = {
      ...second,
      signsUntilMs: second.signsFromMs + 1,
      verifiesUntilMs: second.signsFromMs + 2,
    };
    await store.change(async (keys) => {
      expect(keys).toEqual([first, second]);
      return [ended];
    });
    expect(await store.keys()).toEqual([ended]);
  });

  test("leaves all as it is where a change makes nothing, or fails", async () => {
    const store = await open();
    await store.change(async () => [first]);
    expect(await store.change(async () => undefined)).toEqual([first]);
    const failed = store.change(() => Promise.reject(new Error("no")));
    await expect(failed).rejects.toThrow("no");
    expect(await store.keys()).toEqual([first]);
  });

  test("makes changes one after the other, each seeing what the one before it made", async () => {
    const store = await open();
    const names = ["a", "b", "c", "d", "e"];
    const seen: number[] = [];
    await Promise.all(
      names.map((name, at) =>
        store.change(async (keys) => {
          seen.push(keys.length);
          return [...keys, keyAt(name, Date.UTC(2026, at, 1))];
        }),
      ),
    );
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    expect((await store.keys()).map(({ kid }) => kid)).toEqual(names);
  });
}
