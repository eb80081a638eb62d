import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { FencedError } from "../../engine/errors.ts";
import { lsn, offset } from "../../engine/position.ts";
import type {
  DeadLetter,
  DeadLetters,
  LetterFeed,
  LetterSettlement,
  StoredDeadLetter,
} from "../../engine/ports/dead-letters.ts";
import { lettersAnswering } from "./letters-answering.ts";
import { lettersEdited } from "./letters-edited.ts";
import { lettersOrdered } from "./letters-ordered.ts";
import { lettersPublished } from "./letters-published.ts";
import { at, deadLetter, freshName, parkedKeys, topic } from "./store-samples.ts";

export interface DeadLettersSubject extends AsyncDisposable {
  readonly deadLetters: DeadLetters;
  readonly feed: LetterFeed;
  /** Writes letters as a flush does. */
  readonly write: (letters: readonly DeadLetter[]) => Promise<void>;
  /** Settles letters as a flush does. */
  readonly settle: (settlements: readonly LetterSettlement[]) => Promise<void>;
  /** Lets time pass for the pace of orders. */
  readonly elapse: (ms: number) => Promise<void>;
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
    asking(() => subject);
    settling(() => subject);
    lettersAnswering(() => subject);
    lettersOrdered(() => subject);
    lettersEdited(() => subject);
    lettersPublished(() => subject);
  });
}

const redrive = { action: "redrive", reason: undefined } as const;
const by = "a test";
const everything = { letters: 100, bytes: 1_000_000 };

/** A settlement that changes nothing but what is said. */
export const settlement = (
  { id, disposition, asks }: StoredDeadLetter,
  over: Partial<LetterSettlement> = {},
): LetterSettlement => ({
  id,
  disposition,
  asks,
  tries: 0,
  failure: undefined,
  reason: undefined,
  asking: undefined,
  ...over,
});

function listing(subject: () => DeadLettersSubject): void {
  test("a letter comes back with its bytes, coordinates and reason", async () => {
    const consumer = freshName();
    const source = { kind: "change", commitLsn: lsn(2n ** 62n), order: 3 } as const;
    const letters = [
      deadLetter(consumer, { stack: "Error: no\n  at fold", offset: offset(2n ** 53n + 1n) }),
      deadLetter(consumer, { key: null, value: null, headers: [], disposition: "waiting", source }),
      deadLetter(consumer, { offset: offset(8), source: { kind: "unknown" } }),
    ];
    await subject().write(letters);
    const listed = await subject().deadLetters.list({ consumer, limit: 10 });
    const now = expect.any(Date) as Date;
    const unasked = { asked: undefined, asks: 0, edit: undefined };
    const unsettled = { ...unasked, settledAt: undefined, reason: undefined };
    const fresh = { id: expect.any(BigInt) as bigint, firstAt: now, lastAt: now, ...unsettled };
    expect(listed).toEqual(
      letters.map((letter) => ({
        ...letter,
        ...fresh,
        attempts: letter.disposition === "failed" ? 1 : 0,
      })),
    );
    expect(await subject().deadLetters.find(at(listed, 1).id)).toEqual(listed[1]);
    expect(await subject().deadLetters.find(2n ** 60n)).toBeUndefined();
  });

  test("pages by id join to the whole, in order of writing", async () => {
    const [consumer, other] = [freshName(), freshName()];
    for (const index of [1, 2, 3, 4, 5].map(offset)) {
      const others = deadLetter(other, { offset: index });
      await subject().write([deadLetter(consumer, { offset: index }), others]);
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

const key = (text: string) => ({ key: Buffer.from(text) });

function counting(subject: () => DeadLettersSubject): void {
  test("parked keys are those of one consumer, generation, topic and partition", async () => {
    const consumer = freshName();
    await subject().write([
      deadLetter(consumer, key("ü")),
      deadLetter(consumer, { ...key("ü"), disposition: "waiting", offset: offset(8) }),
      deadLetter(consumer, { ...key("elsewhere"), partition: 1 }),
      deadLetter(consumer, { ...key("another topic"), topic: "other" }),
      deadLetter(consumer, { ...key("another generation"), generation: 2 }),
      deadLetter(consumer, { key: null, offset: offset(9) }),
      deadLetter(freshName(), key("another consumer")),
    ]);
    expect(await parkedKeys(subject().deadLetters, consumer)).toEqual(new Set(["ü", undefined]));
    expect((await parkedKeys(subject().deadLetters, consumer, 7)).size).toBe(0);
    const asked = [7, 0, 1, 0].map((of) => parkedKeys(subject().deadLetters, consumer, of));
    const here = new Set(["ü", undefined]);
    expect(await Promise.all(asked)).toEqual([new Set(), here, new Set(["elsewhere"]), here]);
    const place = { consumer, generation: 1, topic, partition: 0 };
    const parked = await subject().deadLetters.parked(place);
    const counted = new Map(parked.map(({ key, ...counts }) => [key?.length, counts]));
    expect(counted.get(2)).toEqual({ failed: 1, waiting: 1 });
    expect(counted.get(undefined)).toEqual({ failed: 1, waiting: 0 });
  });

  test("counts tell letters by consumer and disposition", async () => {
    const consumer = freshName();
    const waiting = (of: number) =>
      deadLetter(consumer, { disposition: "waiting", offset: offset(of) });
    await subject().write([waiting(8), deadLetter(consumer), waiting(9)]);
    const counts = await subject().deadLetters.counts();
    expect(counts.filter((count) => count.consumer === consumer)).toEqual([
      { consumer, disposition: "failed", letters: 1, keys: 1 },
      { consumer, disposition: "waiting", letters: 2, keys: 1 },
    ]);
  });
}

function asking(subject: () => DeadLettersSubject): void {
  test("only failed letters can be asked for, and their keys are told once", async () => {
    const { deadLetters, write } = subject();
    const consumer = freshName();
    await write([
      deadLetter(consumer, { ...key("a"), offset: offset(1) }),
      deadLetter(consumer, { ...key("a"), offset: offset(2), disposition: "waiting" }),
      deadLetter(consumer, { ...key("a"), offset: offset(3) }),
      deadLetter(consumer, { ...key("b"), offset: offset(4) }),
    ]);
    const order = await deadLetters.order({ letters: { consumer }, ...redrive, by });
    const counts = { matched: 3, asked: 3, unanswered: 3, redriven: 0, discarded: 0, failed: 0 };
    expect(order).toMatchObject({ ...redrive, ...counts, by, state: "asked" });
    expect(await deadLetters.findOrder(order.id)).toEqual(order);
    expect((await deadLetters.orders(1_000)).some(({ id }) => id === order.id)).toBe(true);
    const asked = (await deadLetters.asked(1_000)).filter((of) => of.consumer === consumer);
    const place = { consumer, generation: 1, topic, partition: 0 };
    expect(asked).toEqual([
      { ...place, ...key("a") },
      { ...place, ...key("b") },
    ]);
    expect(await deadLetters.asked(1_000, [{ consumer, generation: 1 }])).toEqual(asked);
    expect(await deadLetters.asked(1_000, [{ consumer, generation: 2 }])).toEqual([]);
    const { letters: open } = await deadLetters.open([{ ...place, ...key("a") }], everything);
    expect(open.map((letter) => letter.offset)).toEqual([1n, 2n, 3n]);
    expect(open.map(({ asked }) => asked?.action)).toEqual(["redrive", undefined, "redrive"]);
    const waiting = { letters: { id: at(open, 1).id }, ...redrive, by };
    expect(await deadLetters.order(waiting)).toMatchObject({ matched: 0, asked: 0 });
  });

  test("of records without a key only those that were asked for are taken up", async () => {
    const { deadLetters, write } = subject();
    const consumer = freshName();
    const keyless = (of: number) => deadLetter(consumer, { key: null, offset: offset(of) });
    await write([keyless(1), keyless(2)]);
    const [, second] = await deadLetters.list({ consumer, limit: 2 });
    const id = second?.id ?? 0n;
    const discard = { action: "discard", reason: "A test." } as const;
    expect(await deadLetters.order({ letters: { id }, ...discard, by })).toMatchObject({
      asked: 1,
    });
    const place = { consumer, generation: 1, topic, partition: 0 };
    const open = await deadLetters.open([{ ...place, key: null }], everything);
    expect(open).toMatchObject({ letters: [{ id, asked: discard, asks: 1 }], more: false });
  });
}

function settling(subject: () => DeadLettersSubject): void {
  async function failed(): Promise<StoredDeadLetter> {
    const consumer = freshName();
    await subject().write([deadLetter(consumer)]);
    await subject().deadLetters.order({ letters: { consumer }, ...redrive, by });
    return at(await subject().deadLetters.list({ consumer, limit: 1 }), 0);
  }
  const again = async ({ id }: StoredDeadLetter) => subject().deadLetters.find(id);

  test("a letter that failed again keeps its place, with what happened last", async () => {
    const letter = await failed();
    const failure = { cause: "fold", message: "It threw.", stack: "at fold" };
    await subject().settle([settlement(letter, { tries: 1, failure })]);
    expect(await again(letter)).toMatchObject({
      ...failure,
      disposition: "failed",
      attempts: 2,
      asked: undefined,
      settledAt: undefined,
    });
    expect(await parkedKeys(subject().deadLetters, letter.consumer)).toEqual(new Set(["M1"]));
  });

  test("a letter that is settled is kept with its end, and parks nothing", async () => {
    const [one, other] = [await failed(), await failed()];
    await subject().settle([
      settlement(one, { disposition: "redriven", tries: 1 }),
      settlement(other, { disposition: "discarded", reason: "A test." }),
    ]);
    const settledAt = expect.any(Date) as Date;
    expect(await again(one)).toMatchObject({ disposition: "redriven", attempts: 2, settledAt });
    const discarded = { disposition: "discarded", reason: "A test.", settledAt, attempts: 1 };
    expect(await again(other)).toMatchObject(discarded);
    expect((await parkedKeys(subject().deadLetters, one.consumer)).size).toBe(0);
    const { deadLetters } = subject();
    const { consumer } = one;
    expect(await deadLetters.list({ consumer, disposition: "redriven", limit: 9 })).toHaveLength(1);
    expect(await deadLetters.list({ consumer, disposition: "failed", limit: 9 })).toEqual([]);
    const settled = { letters: { id: one.id }, ...redrive, by };
    expect(await deadLetters.order(settled)).toMatchObject({ matched: 0 });
  });

  test("a letter is settled once: the second flush writes nothing of what it has", async () => {
    const [one, other] = [await failed(), await failed()];
    await subject().settle([settlement(one, { disposition: "redriven", tries: 1 })]);
    const second = [
      settlement(other, { disposition: "redriven" }),
      settlement(one, { disposition: "discarded" }),
    ];
    await expect(subject().settle(second)).rejects.toThrow(FencedError);
    expect(await again(one)).toMatchObject({ disposition: "redriven" });
    expect(await again(other)).toMatchObject({ disposition: "failed", asked: redrive });
  });

  test("a wish that came after the letter was read outlives the answer to an older one", async () => {
    const letter = await failed();
    const discard = { action: "discard", reason: "Enough." } as const;
    const order = await subject().deadLetters.order({ letters: { id: letter.id }, ...discard, by });
    await subject().settle([settlement(letter, { tries: 1 })]);
    expect(await again(letter)).toMatchObject({ asked: discard, asks: 2, attempts: 2 });
    expect(await subject().deadLetters.findOrder(order.id)).toMatchObject({ unanswered: 1 });
  });

  test("a letter can be made to ask on", async () => {
    const letter = await failed();
    await subject().settle([settlement(letter, { asking: redrive })]);
    expect(await again(letter)).toMatchObject({ asked: redrive, disposition: "failed" });
  });
}
