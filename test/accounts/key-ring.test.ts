import { describe, expect, test } from "vitest";

import { KeyRing, type KeyStore, MemoryKeyStore } from "../../connectors/accounts/index.ts";
import { ManualClock } from "../../engine/memory/clock.ts";

const dayMs = 86_400_000;
const policy = { keyMs: 30 * dayMs, overlapMs: dayMs, tokenMs: 960_000 };

/** A store that counts how often it is asked, and can be out of reach. */
class WatchedStore implements KeyStore {
  readonly #inner = new MemoryKeyStore();
  reads = 0;
  changes = 0;
  broken = false;

  async keys() {
    this.reads += 1;
    if (this.broken) throw new Error("out of reach");
    return this.#inner.keys();
  }

  async change(of: Parameters<KeyStore["change"]>[0]) {
    this.changes += 1;
    if (this.broken) throw new Error("out of reach");
    return this.#inner.change(of);
  }
}

function stage() {
  const clock = new ManualClock();
  const store = new WatchedStore();
  const reports: string[] = [];
  const ring = () => new KeyRing({ store, clock, policy, report: (text) => reports.push(text) });
  return { clock, store, reports, ring };
}

/** Asks until what is read and made beside the answer has come. */
const signerIn = (ring: KeyRing, kid: unknown) =>
  expect.poll(async () => (await ring.signer()).kid, { timeout: 5_000 }).toEqual(kid);

const published = async (ring: KeyRing): Promise<string[]> =>
  (await ring.published()).map(({ kid }) => kid);

describe("a ring of keys", () => {
  test("makes the first key when it is asked, and signs with it for 30 days", async () => {
    const { clock, store, ring } = stage();
    const keys = ring();
    const { kid } = await keys.signer();
    expect(kid).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(store.changes).toBe(1);
    clock.advance(30 * dayMs - 1);
    expect((await keys.signer()).kid).toBe(kid);
  });

  test("publishes the next key a day before it signs, and the last until its tokens are over", async () => {
    const { clock, ring } = stage();
    const keys = ring();
    const { kid: first } = await keys.signer();
    clock.advance(29 * dayMs - 1);
    await keys.signer();
    expect(await published(keys)).toEqual([first]);
    clock.advance(10_000);
    await expect.poll(() => published(keys), { timeout: 5_000 }).toHaveLength(2);
    const [, second] = await published(keys);
    expect((await keys.signer()).kid).toBe(first);
    clock.advance(dayMs);
    await signerIn(keys, second);
    expect(await published(keys)).toEqual([first, second]);
    expect(await keys.verifier(first)).toBeDefined();
    clock.advance(960_000);
    expect(await keys.verifier(first)).toBeUndefined();
    expect(await published(keys)).toEqual([second]);
  });

  test("makes a key that signs at once after a pause in which nobody asked", async () => {
    const { clock, ring } = stage();
    const keys = ring();
    const { kid: first } = await keys.signer();
    clock.advance(365 * dayMs);
    const { kid: second, signsFromMs } = await keys.signer();
    expect(second).not.toBe(first);
    expect(signsFromMs).toBe(clock.nowMs());
    await expect.poll(() => published(keys), { timeout: 5_000 }).toEqual([second]);
  });

  test("asks the store once a second at most, however many unknown keys are named", async () => {
    const { clock, store, ring } = stage();
    const keys = ring();
    await keys.signer();
    for (const round of [0, 1, 2]) {
      clock.advance(1_000);
      const before = store.reads;
      const names = Array.from({ length: 5_000 }, (_, at) => `unknown-${round}-${at}`);
      const found = await Promise.all(names.map((kid) => keys.verifier(kid)));
      expect(found.filter(Boolean)).toEqual([]);
      for (const kid of names) await keys.verifier(kid);
      expect(store.reads - before).toBe(1);
    }
  });

  test("finds another instance's key at the first token that names it", async () => {
    const { clock, ring } = stage();
    const [here, there] = [ring(), ring()];
    await Promise.all([here.signer(), there.signer()]);
    clock.advance(1_000);
    const { kid } = await here.rotate("verify");
    expect(await there.verifier(kid)).toMatchObject({ kid });
    await signerIn(there, kid);
  });

  test("of many instances that ask at once makes one key", async () => {
    const { store, ring } = stage();
    const kids = await Promise.all(
      Array.from({ length: 20 }, ring).flatMap((keys) => [keys.signer(), keys.signer()]),
    );
    expect(new Set(kids.map(({ kid }) => kid)).size).toBe(1);
    expect(await store.keys()).toHaveLength(1);
  });

  test("signs with the first key of an instance whose clock is ahead", async () => {
    const { store, clock, ring } = stage();
    const behind = new ManualClock(clock.nowMs() - 20_000);
    const there = new KeyRing({ store, clock: behind, policy, report: () => undefined });
    const { kid } = await ring().signer();
    expect((await there.signer()).kid).toBe(kid);
    expect(await store.keys()).toHaveLength(1);
  });

  test("goes on with the keys that it knows while the store is out of reach", async () => {
    const { clock, store, reports, ring } = stage();
    const keys = ring();
    const { kid } = await keys.signer();
    store.broken = true;
    clock.advance(10_000);
    expect((await keys.signer()).kid).toBe(kid);
    expect(await keys.verifier(kid)).toBeDefined();
    await expect.poll(() => reports).toEqual([expect.stringContaining("out of reach")]);
  });

  test("can't sign before it has read the keys once, and tries at each asking", async () => {
    const { store, ring } = stage();
    const keys = ring();
    store.broken = true;
    await expect(keys.signer()).rejects.toThrow("out of reach");
    store.broken = false;
    expect(await keys.signer()).toBeDefined();
  });

  test("signs with a rotated key at once; what the others signed stays good or is withdrawn", async () => {
    const { ring } = stage();
    const keys = ring();
    const { kid: first } = await keys.signer();
    const { kid: second } = await keys.rotate("verify");
    expect((await keys.signer()).kid).toBe(second);
    expect(await keys.verifier(first)).toBeDefined();
    const { kid: third } = await keys.rotate("withdrawn");
    expect(await published(keys)).toEqual([third]);
    expect(await keys.verifier(first)).toBeUndefined();
    expect(await keys.verifier(second)).toBeUndefined();
  });

  test("tells by its epoch within ten seconds that another has withdrawn a key", async () => {
    const { clock, ring } = stage();
    const keys = ring();
    expect(keys.epoch()).toBeUndefined();
    const { kid } = await keys.signer();
    const epoch = keys.epoch();
    expect(epoch).toBeDefined();
    await ring().rotate("verify");
    clock.advance(5_000);
    keys.epoch();
    await expect.poll(() => published(keys), { timeout: 5_000 }).toHaveLength(2);
    expect(keys.epoch()).toBe(epoch);
    await ring().rotate("withdrawn");
    clock.advance(5_000);
    await expect.poll(() => keys.epoch(), { timeout: 5_000 }).not.toBe(epoch);
    expect(await keys.verifier(kid)).toBeUndefined();
  });

  test("looks whether a key was withdrawn before it verifies after a pause", async () => {
    const { clock, ring } = stage();
    const keys = ring();
    const { kid } = await keys.signer();
    await ring().rotate("withdrawn");
    expect(await keys.verifier(kid)).toBeDefined();
    clock.advance(10_000);
    expect(keys.epoch()).toBeUndefined();
    expect(await keys.verifier(kid)).toBeUndefined();
  });

  test("goes on with the keys it has while the store is out of reach", async () => {
    const { clock, ring, store, reports } = stage();
    const keys = ring();
    const { kid } = await keys.signer();
    const epoch = keys.epoch();
    store.broken = true;
    clock.advance(60_000);
    expect(await keys.verifier(kid)).toBeDefined();
    expect(keys.epoch()).toBe(epoch);
    expect(reports).toEqual(["The signing keys can't be read: out of reach"]);
  });
});
