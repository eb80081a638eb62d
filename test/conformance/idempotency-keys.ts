import { describe, expect, test } from "vitest";

import { appendedWith, once, unique, type AlongsideSubject } from "./alongside-subject.ts";

type Subject = () => AlongsideSubject;

const dayMs = 24 * 60 * 60 * 1_000;

/** What every adapter of `IdempotencyKeys` promises. */
export function idempotencyKeysConformance(adapter: string, subject: Subject): void {
  const find = (key: string, scope = "clients") => subject().idempotencyKeys.find({ scope, key });

  describe(`idempotency keys, ${adapter}`, () => {
    test("an answer is found under its key, with what was asked", async () => {
      const key = unique("key");
      const answer = { text: 'ü€ "\\ \u0000', list: [1, null, { deep: true }] };
      const { store } = subject();
      const beforeMs = await store.nowMs();
      const { events } = await appendedWith(store, { once: [once(key, { answer })] });
      const asked = { scope: "clients", key, fingerprint: "asked so" };
      const kept = await find(key);
      const keptAtMs = expect.any(Number) as number;
      expect(kept).toEqual({ state: "answered", ...asked, answer, events, keptAtMs });
      const keptMs = kept?.state === "answered" ? kept.keptAtMs : Number.NaN;
      expect(keptMs).toBeGreaterThanOrEqual(beforeMs);
      expect(keptMs).toBeLessThanOrEqual(await store.nowMs());
      expect(await find(unique("key"))).toBeUndefined();
    });

    test("keys of two scopes have nothing to do with each other", async () => {
      const key = unique("key");
      await appendedWith(subject().store, { once: [once(key, { answer: 1 })] });
      expect(await find(key, "others")).toBeUndefined();
      const others = once(key, { scope: "others", answer: 2 });
      await appendedWith(subject().store, { once: [others] });
      expect(await find(key)).toMatchObject({ answer: 1 });
      expect(await find(key, "others")).toMatchObject({ answer: 2 });
    });

    test("an answer without a JSON value is null", async () => {
      const key = unique("key");
      await appendedWith(subject().store, { once: [once(key, { answer: undefined })] });
      expect(await find(key)).toMatchObject({ state: "answered", answer: null });
    });

    test("forgets answers of before a time, the oldest first, at most so many", async () => {
      const { store, idempotencyKeys, pass } = subject();
      await idempotencyKeys.purge({ beforeMs: Number.MAX_SAFE_INTEGER / 1_000, limit: 1_000 });
      const keys = [unique("key"), unique("key"), unique("key")] as const;
      for (const key of keys) {
        await appendedWith(store, { once: [once(key)] });
        await pass(dayMs);
      }
      const beforeMs = (await store.nowMs()) - dayMs / 2;
      expect(await idempotencyKeys.purge({ beforeMs: beforeMs - 5 * dayMs, limit: 10 })).toBe(0);
      expect(await idempotencyKeys.purge({ beforeMs, limit: 2 })).toBe(2);
      expect(await find(keys[1])).toBeUndefined();
      expect(await find(keys[2])).toMatchObject({ state: "answered" });
      expect(await idempotencyKeys.purge({ beforeMs, limit: 2 })).toBe(1);
      // What is forgotten can be asked anew.
      await appendedWith(store, { once: [once(keys[2])] });
    });
  });
}
