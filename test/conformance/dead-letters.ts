import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { offset } from "../../engine/position.ts";
import type { DeadLetter, DeadLetters } from "../../engine/ports/dead-letters.ts";
import { at, deadLetter, freshName, topic } from "./store-samples.ts";

export interface DeadLettersSubject extends AsyncDisposable {
  readonly deadLetters: DeadLetters;
  /** Writes letters as a flush does. */
  readonly write: (letters: readonly DeadLetter[]) => Promise<void>;
}

export function deadLettersConformance(
  adapter: string,
  make: () => Promise<DeadLettersSubject>,
): void {
  describe(`dead letters, ${adapter}`, () => {
    let subject: DeadLettersSubject;
    beforeAll(async () => {
      subject = await make();
    });
    afterAll(() => subject[Symbol.asyncDispose]());
    listing(() => subject);
    counting(() => subject);
  });
}

function listing(subject: () => DeadLettersSubject): void {
  test("a letter comes back with its bytes, coordinates and reason", async () => {
    const consumer = freshName();
    const letters = [
      deadLetter(consumer, { stack: "Error: no\n  at fold", offset: offset(2n ** 53n + 1n) }),
      deadLetter(consumer, { key: null, value: null, headers: [], disposition: "waiting" }),
    ];
    await subject().write(letters);
    const listed = await subject().deadLetters.list({ consumer, limit: 10 });
    expect(listed).toEqual(
      letters.map((letter) => ({ ...letter, id: expect.any(BigInt), at: expect.any(Date) })),
    );
  });

  test("pages by id join to the whole, in order of writing", async () => {
    const [consumer, other] = [freshName(), freshName()];
    for (const index of [1, 2, 3, 4, 5]) {
      await subject().write([deadLetter(consumer, { offset: offset(index) }), deadLetter(other)]);
    }
    const seen: bigint[] = [];
    let after = 0n;
    for (;;) {
      const page = await subject().deadLetters.list({ consumer, after, limit: 2 });
      if (page.length === 0) break;
      seen.push(...page.map((letter) => letter.offset));
      after = at(page, page.length - 1).id;
    }
    expect(seen).toEqual([1n, 2n, 3n, 4n, 5n]);
    const both = await subject().deadLetters.list({ limit: 10_000 });
    const consumers = new Set(both.map((letter) => letter.consumer));
    expect([consumer, other].every((name) => consumers.has(name))).toBe(true);
  });
}

function counting(subject: () => DeadLettersSubject): void {
  test("parked keys are those of one consumer, topic and partition", async () => {
    const consumer = freshName();
    const key = (text: string) => ({ key: Buffer.from(text) });
    await subject().write([
      deadLetter(consumer, key("ü")),
      deadLetter(consumer, { ...key("ü"), disposition: "waiting" }),
      deadLetter(consumer, { ...key("elsewhere"), partition: 1 }),
      deadLetter(consumer, { ...key("another topic"), topic: "other" }),
      deadLetter(consumer, { key: null }),
      deadLetter(freshName(), key("another consumer")),
    ]);
    expect(await subject().deadLetters.parkedKeys(consumer, topic, 0)).toEqual(new Set(["ü"]));
    expect((await subject().deadLetters.parkedKeys(consumer, topic, 7)).size).toBe(0);
  });

  test("counts tell letters by consumer and disposition", async () => {
    const consumer = freshName();
    const waiting = deadLetter(consumer, { disposition: "waiting" });
    await subject().write([waiting, deadLetter(consumer), waiting]);
    const counts = await subject().deadLetters.counts();
    expect(counts.filter((count) => count.consumer === consumer)).toEqual([
      { consumer, disposition: "failed", letters: 1 },
      { consumer, disposition: "waiting", letters: 2 },
    ]);
  });
}
