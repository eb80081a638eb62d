import { expect, test } from "vitest";

import { offset } from "../../engine/position.ts";
import type { StoredDeadLetter } from "../../engine/ports/dead-letters.ts";
import { type DeadLettersSubject, settlement } from "./dead-letters.ts";
import { deadLetter, freshName } from "./store-samples.ts";

/** How dispositions leave the store. */
export function lettersPublished(subject: () => DeadLettersSubject): void {
  /** Publishes everything, and gives what was of one consumer. */
  async function published(consumer: string): Promise<(readonly [number, string])[]> {
    const all: StoredDeadLetter[] = [];
    for (;;) {
      const count = await subject().feed.publish(3, async (letters) => void all.push(...letters));
      if (count === 0) break;
    }
    return all
      .filter((one) => one.consumer === consumer)
      .map((one) => [Number(one.offset), one.disposition]);
  }

  test("each disposition of a letter is published once, in order of id", async () => {
    const consumer = freshName();
    await subject().write(
      [1, 2, 3, 4, 5].map((at) => deadLetter(consumer, { offset: offset(at) })),
    );
    expect(await published(consumer)).toEqual([1, 2, 3, 4, 5].map((at) => [at, "failed"]));
    expect(await published(consumer)).toEqual([]);
    const [, second] = await subject().deadLetters.list({ consumer, limit: 2 });
    if (second === undefined) throw new Error("Letters were written.");
    await subject().settle([settlement(second, { disposition: "redriven" })]);
    expect(await published(consumer)).toEqual([[2, "redriven"]]);
  });

  test("what could not be published comes again", async () => {
    const consumer = freshName();
    await subject().write([deadLetter(consumer)]);
    const failing = subject().feed.publish(1_000, () => Promise.reject(new Error("No broker.")));
    await expect(failing).rejects.toThrow("No broker.");
    expect(await published(consumer)).toHaveLength(1);
  });

  test("one publishes at a time", async () => {
    await subject().write([deadLetter(freshName())]);
    const outcome = await subject().feed.publish(1, async () => {
      expect(await subject().feed.publish(1, async () => undefined)).toBe("elsewhere");
    });
    expect(outcome).toBe(1);
  });
}
