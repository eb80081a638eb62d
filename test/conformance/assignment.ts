import { setTimeout as delay } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Assignment, Membership } from "../../engine/ports/assignment.ts";
import { freshName } from "./store-samples.ts";

export interface AssignmentSubject extends AsyncDisposable {
  /** Another process's view of the same group. */
  readonly assignment: () => Assignment;
}

export interface Follower extends AsyncDisposable {
  readonly owned: () => readonly number[];
  readonly seen: () => readonly (readonly number[])[];
}

/** Follows a membership, letting go at once what it is told to leave; or, held back, never. */
export function follow(membership: Membership, release: "at once" | "never"): Follower {
  const seen: number[][] = [];
  const following = (async () => {
    let before: ReadonlySet<number> = new Set();
    for await (const owned of membership.changes) {
      seen.push([...owned].sort((a, b) => a - b));
      const left = [...before].filter((partition) => !owned.has(partition));
      before = owned;
      if (release === "at once" && left.length > 0) await membership.release(left);
    }
  })();
  return {
    owned: () => seen.at(-1) ?? [],
    seen: () => seen,
    [Symbol.asyncDispose]: async () => {
      await membership[Symbol.asyncDispose]();
      await following;
    },
  };
}

export async function until(what: () => boolean, deadlineMs = 10_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!what()) {
    if (performance.now() > end)
      throw new Error(`It hasn't come after ${deadlineMs} ms: ${String(what)}`);
    await delay(5);
  }
}

const all = (partitions: number) => Array.from({ length: partitions }, (_, index) => index);
const sizes = (members: readonly Follower[]) => members.map(({ owned }) => owned().length);
const rising = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
const everyone = (members: readonly Follower[]) => rising(members.flatMap(({ owned }) => owned()));

/** Sizes are these, and every partition has exactly one owner. */
const shared = (members: readonly Follower[], expected: readonly number[]) => () =>
  rising(sizes(members)).join() === rising(expected).join() &&
  new Set(everyone(members)).size === everyone(members).length;

export function assignmentConformance(
  adapter: string,
  make: () => Promise<AssignmentSubject>,
): void {
  describe(`assignment, ${adapter}`, () => {
    let subject: AssignmentSubject;
    beforeAll(async () => {
      subject = await make();
    });
    afterAll(() => subject[Symbol.asyncDispose]());
    sharing(() => subject);
    handingOver(() => subject);
  });
}

function sharing(subject: () => AssignmentSubject): void {
  test("who is alone has every partition in the first change", async () => {
    const consumer = freshName();
    await using member = follow(await subject().assignment().join(consumer, 10), "at once");
    await until(() => member.seen().length > 0, 1_000);
    expect(member.seen()[0]).toEqual(all(10));
  });

  test("shares differ by at most one, and nothing moves that doesn't have to", async () => {
    const consumer = freshName();
    const join = async () => follow(await subject().assignment().join(consumer, 10), "at once");
    await using first = await join();
    await until(shared([first], [10]));
    await using second = await join();
    await until(shared([first, second], [5, 5]));
    const before = new Set(first.owned());
    await using third = await join();
    await until(shared([first, second, third], [4, 3, 3]));
    expect(first.owned().every((partition) => before.has(partition))).toBe(true);
    expect(everyone([first, second, third])).toEqual(all(10));
  });

  test("more members than partitions leave some with none, told by an empty set", async () => {
    const consumer = freshName();
    const join = async () => follow(await subject().assignment().join(consumer, 1), "at once");
    await using first = await join();
    await until(shared([first], [1]));
    await using second = await join();
    await until(() => second.seen().length > 0);
    expect(second.owned()).toEqual([]);
    expect(first.owned()).toEqual([0]);
  });

  test("consumers don't share with each other", async () => {
    const join = async () => follow(await subject().assignment().join(freshName(), 3), "at once");
    await using one = await join();
    await using two = await join();
    await until(() => one.owned().length === 3 && two.owned().length === 3);
  });
}

function handingOver(subject: () => AssignmentSubject): void {
  test("who leaves hands everything over at once", async () => {
    const consumer = freshName();
    const join = async () => follow(await subject().assignment().join(consumer, 4), "at once");
    const leaving = await join();
    await until(shared([leaving], [4]));
    await using staying = await join();
    await until(shared([leaving, staying], [2, 2]));
    await leaving[Symbol.asyncDispose]();
    await until(() => staying.owned().length === 4, 1_000);
  });

  test("a partition that isn't drained yet has no new owner", async () => {
    const consumer = freshName();
    const membership = await subject().assignment().join(consumer, 2);
    await using draining = follow(membership, "never");
    await until(shared([draining], [2]));
    await using waiting = follow(await subject().assignment().join(consumer, 2), "at once");
    await until(() => draining.owned().length === 1);
    await until(() => waiting.seen().length > 0);
    expect(waiting.owned()).toEqual([]);
    await membership.release(all(2));
    await until(() => waiting.owned().length === 1);
    expect(everyone([draining, waiting])).toEqual([0, 1]);
  });
}
