import { expect, test } from "vitest";

import type { DeadLetter, LetterCriteria } from "../../engine/ports/dead-letters.ts";
import { offset } from "../../engine/position.ts";
import type { DeadLettersSubject } from "./dead-letters.ts";
import { deadLetter, freshName, topic } from "./store-samples.ts";

const enveloped = (type: string, correlationId: string): Pick<DeadLetter, "headers"> => ({
  headers: [
    { name: "ce_type", value: Buffer.from(type) },
    { name: "ce_correlationid", value: Buffer.from(correlationId) },
  ],
});

const framed = (schemaId: number): { readonly value: Buffer } => ({
  value: Buffer.from([0, 0, 0, 0, schemaId, 1, 2]),
});

const waiting = { disposition: "waiting", cause: "waiting" } as const;

/** Two faults of one consumer: five letters, in order of id. */
function samples(consumer: string): readonly DeadLetter[] {
  const broken = { ...enveloped("app.Paid", "c-1"), ...framed(7), cause: "schema-unknown" };
  const [a, b] = [{ key: Buffer.from("a") }, { key: Buffer.from("b") }];
  return [
    deadLetter(consumer, { ...broken, ...a, offset: offset(1) }),
    deadLetter(consumer, { ...a, ...waiting, offset: offset(2) }),
    deadLetter(consumer, { ...broken, ...b, offset: offset(3) }),
    deadLetter(consumer, { ...a, ...waiting, offset: offset(4) }),
    deadLetter(consumer, { key: null, cause: "fold", topic: "other", offset: offset(5) }),
  ];
}

/** Letters are told by what an operator knows of them. */
export function lettersAnswering(subject: () => DeadLettersSubject): void {
  test("letters are listed by everything that is told of them, and by nothing else", async () => {
    const consumer = freshName();
    await subject().write(samples(consumer));
    const offsets = async (criteria: LetterCriteria): Promise<number[]> => {
      const found = await subject().deadLetters.list({ consumer, ...criteria, limit: 10 });
      return found.map((one) => Number(one.offset));
    };
    expect(await offsets({ cause: "fold" })).toEqual([5]);
    expect(await offsets({ topic })).toEqual([1, 2, 3, 4]);
    expect(await offsets({ key: Buffer.from("a") })).toEqual([1, 2, 4]);
    expect(await offsets({ type: "app.Paid", key: Buffer.from("b") })).toEqual([3]);
    expect(await offsets({ correlationId: "c-1" })).toEqual([1, 3]);
    expect(await offsets({ disposition: ["failed", "redriven"] })).toEqual([1, 3, 5]);
    expect(await offsets({ disposition: [] })).toEqual([]);
    expect(await offsets({ edited: true })).toEqual([]);
    expect(await offsets({ generation: 2 })).toEqual([]);
    const [first] = await subject().deadLetters.list({ consumer, limit: 1 });
    const at = first?.firstAt ?? new Date(0);
    expect(await offsets({ from: at, until: new Date(at.getTime() + 3_600_000) })).toHaveLength(5);
    expect(await offsets({ until: at })).toEqual([]);
    expect(await offsets({ from: new Date(at.getTime() + 3_600_000) })).toEqual([]);
    // What looks like a part of a statement is compared, like any other text.
    expect(await offsets({ cause: "fold' or 'a' = 'a" })).toEqual([]);
  });

  test("letters with the same fault are one group, with what waits behind them", async () => {
    const consumer = freshName();
    await subject().write(samples(consumer));
    const groups = await subject().deadLetters.groups({ consumer, disposition: "failed" }, 10);
    const example = { id: expect.any(BigInt) as bigint, message: expect.any(String) as string };
    expect(groups).toMatchObject([
      {
        cause: "schema-unknown",
        type: "app.Paid",
        schemaId: 7,
        letters: 2,
        keys: 2,
        waiting: 2,
        topic,
        example,
      },
      { cause: "fold", type: undefined, letters: 1, keys: 0, waiting: 0, topic: "other" },
    ]);
    const [{ firstAt, lastAt } = { firstAt: 1, lastAt: 0 }] = groups;
    expect(lastAt >= firstAt).toBe(true);
    expect(await subject().deadLetters.groups({ consumer, disposition: "failed" }, 1)).toHaveLength(
      1,
    );
  });

  test("a survey counts what would be asked for, its keys, and what waits behind them", async () => {
    const consumer = freshName();
    await subject().write(samples(consumer));
    const survey = await subject().deadLetters.survey({ consumer }, 2);
    expect(survey).toMatchObject({ letters: 3, keys: 3, waiting: 2 });
    expect(survey.first).toMatchObject([
      { key: Buffer.from("a"), letters: 1, waiting: 2, topic, partition: 0, generation: 1 },
      { key: Buffer.from("b"), letters: 1, waiting: 0 },
    ]);
    const none = await subject().deadLetters.survey({ consumer, cause: "decode" }, 2);
    expect(none).toEqual({ letters: 0, keys: 0, waiting: 0, first: [] });
  });
}
