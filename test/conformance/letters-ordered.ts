import { expect, test } from "vitest";

import { offset } from "../../engine/position.ts";
import type { LetterOrder } from "../../engine/ports/dead-letters.ts";
import { type DeadLettersSubject, settlement } from "./dead-letters.ts";
import { deadLetter, freshName, topic } from "./store-samples.ts";

const redrive = { action: "redrive", by: "ann", reason: "The fold is mended." } as const;
const everything = { letters: 100, bytes: 1_000_000 };

/** Failed letters, each of a key of its own. */
const failed = (consumer: string, count: number) =>
  Array.from({ length: count }, (_, at) =>
    deadLetter(consumer, { key: Buffer.from(`k${at}`), offset: offset(at) }),
  );

/** Orders, their pace and their progress. */
export function lettersOrdered(subject: () => DeadLettersSubject): void {
  const progress = async ({ id }: LetterOrder) => subject().deadLetters.findOrder(id);

  test("an order with a pace asks for its letters as time passes, in order", async () => {
    const consumer = freshName();
    const { deadLetters, write, elapse } = subject();
    await write(failed(consumer, 5));
    const order = await deadLetters.order({
      letters: { consumer },
      ...redrive,
      lettersPerSecond: 2,
    });
    expect(order).toMatchObject({ matched: 5, asked: 1, state: "open", lettersPerSecond: 2 });
    await elapse(1_000);
    await deadLetters.release(100);
    const asked = await deadLetters.list({ order: order.id, limit: 10 });
    expect(asked.map((one) => Number(one.offset))).toEqual([0, 1, 2]);
    // What comes later isn't meant.
    await write([deadLetter(consumer, { key: Buffer.from("late"), offset: offset(9) })]);
    for (let round = 0; round < 2; round += 1) {
      await elapse(60_000);
      await deadLetters.release(100);
    }
    expect(await progress(order)).toMatchObject({ matched: 5, asked: 5, unanswered: 5 });
    await elapse(60_000);
    await deadLetters.release(100);
    expect(await progress(order)).toMatchObject({ asked: 5, state: "asked" });
  });

  test("what waits behind a letter counts into the pace", async () => {
    const consumer = freshName();
    const { deadLetters, write, elapse } = subject();
    const behind = [10, 11, 12].map((at) => ({
      offset: offset(at),
      disposition: "waiting" as const,
    }));
    const waiting = behind.map((one) => deadLetter(consumer, { key: Buffer.from("k0"), ...one }));
    await write([...failed(consumer, 2), ...waiting]);
    const order = await deadLetters.order({
      letters: { consumer },
      ...redrive,
      lettersPerSecond: 1,
    });
    expect(order).toMatchObject({ asked: 1, matched: 2 });
    await elapse(1_500);
    await deadLetters.release(100);
    expect(await progress(order)).toMatchObject({ asked: 1 });
    await elapse(3_000);
    await deadLetters.release(100);
    expect(await progress(order)).toMatchObject({ asked: 2 });
  });

  test("an order that was stopped asks for nothing more", async () => {
    const consumer = freshName();
    const { deadLetters, write, elapse } = subject();
    await write(failed(consumer, 3));
    const order = await deadLetters.order({
      letters: { consumer },
      ...redrive,
      lettersPerSecond: 1,
    });
    expect(order.stopped).toBeUndefined();
    expect(await deadLetters.stopOrder(order.id, "ada")).toBe(true);
    expect(await deadLetters.stopOrder(order.id, "bob")).toBe(false);
    await elapse(60_000);
    await deadLetters.release(100);
    const stopped = { by: "ada", at: expect.any(Date) as Date };
    expect(await progress(order)).toMatchObject({ state: "stopped", stopped, asked: 1 });
  });

  test("an order tells what became of its letters, and who wanted it", async () => {
    const consumer = freshName();
    const { deadLetters, write, settle } = subject();
    await write(failed(consumer, 4));
    const order = await deadLetters.order({ letters: { consumer }, ...redrive });
    const [one, two, three, four] = await deadLetters.list({ consumer, limit: 4 });
    if (!one || !two || !three || !four) throw new Error("Four letters were written.");
    const failure = { cause: "fold", message: "Still not.", stack: undefined };
    await settle([
      settlement(one, { disposition: "redriven", tries: 1 }),
      settlement(two, { tries: 1, failure }),
    ]);
    const counts = { asked: 4, unanswered: 2, redriven: 1, failed: 1, discarded: 0 };
    expect(await progress(order)).toEqual({ ...order, ...counts });
    const discard = { action: "discard", by: "bob", reason: "Enough." } as const;
    const later = await deadLetters.order({ letters: { id: three.id }, ...discard });
    expect(await progress(order)).toMatchObject({ unanswered: 1 });
    expect(await deadLetters.acts(three.id, 10)).toMatchObject([
      { act: "redrive", by: "ann", reason: redrive.reason, order: order.id },
      { act: "discard", by: "bob", reason: "Enough.", order: later.id },
    ]);
    expect(await deadLetters.acts(four.id, 10)).toHaveLength(1);
    expect((await deadLetters.orders(2)).map(({ id }) => id)).toEqual([later.id, order.id]);
  });

  test("open letters come key by key, up to a number and a size", async () => {
    const consumer = freshName();
    const { deadLetters, write } = subject();
    const key = (text: string) => ({ key: Buffer.from(text) });
    const of = (text: string, at: number) =>
      deadLetter(consumer, { ...key(text), offset: offset(at), value: Buffer.alloc(100) });
    await write([of("a", 1), of("b", 2), of("a", 3), of("b", 4)]);
    const place = { consumer, generation: 1, topic, partition: 0 };
    const keys = [
      { ...place, ...key("b") },
      { ...place, ...key("a") },
    ];
    const found = async (max: { letters: number; bytes: number }) => {
      const { letters, more } = await deadLetters.open(keys, max);
      return [letters.map((one) => Number(one.offset)), more];
    };
    expect(await found(everything)).toEqual([[2, 4, 1, 3], false]);
    expect(await found({ ...everything, letters: 3 })).toEqual([[2, 4, 1], true]);
    expect(await found({ ...everything, bytes: 250 })).toEqual([[2, 4], true]);
    expect(await found({ letters: 1, bytes: 1 })).toEqual([[2, 4], true]);
  });
}
