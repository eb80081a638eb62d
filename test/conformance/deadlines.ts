import { describe, expect, test } from "vitest";

import type { Deadline, DeadlineChange } from "../../engine/ports/deadlines.ts";
import { appendedWith, setDeadline, unique, type AlongsideSubject } from "./alongside-subject.ts";
import { at } from "./store-samples.ts";

type Subject = () => AlongsideSubject;

const keysOf = (deadlines: readonly Deadline[]): string[] => deadlines.map(({ key }) => key);

/** What every adapter of `Deadlines` promises. */
export function deadlinesConformance(adapter: string, subject: Subject): void {
  const change = (...deadlines: DeadlineChange[]) =>
    appendedWith(subject().store, { deadlines }, { events: [] });
  const due = (name: string, nowMs: number, limit = 100) =>
    subject().deadlines.due({ names: [name], nowMs, limit });

  describe(`deadlines, ${adapter}`, () => {
    test("a deadline is found due from its time on, as it was set", async () => {
      const name = unique("due");
      const set = { ...setDeadline(name, "a", 1_000), causationId: "why", traceparent: "00-1" };
      await change(set);
      expect(await due(name, 999)).toEqual([]);
      const { change: _, ...deadline } = set;
      expect(await due(name, 1_000)).toEqual([deadline]);
      expect(await due(name, 1_000.5)).toEqual([deadline]);
    });

    test("those of the names that are asked for come earliest first, cut at the limit", async () => {
      const [name, other] = [unique("due"), unique("due")];
      await change(
        setDeadline(name, "c", 30),
        setDeadline(name, "b", 20),
        setDeadline(other, "x", 1),
        setDeadline(name, "a", 20),
      );
      expect(keysOf(await due(name, 1_000))).toEqual(["a", "b", "c"]);
      expect(keysOf(await due(name, 1_000, 2))).toEqual(["a", "b"]);
      expect(await subject().deadlines.nextAtMs([name])).toBe(20);
      expect(await subject().deadlines.nextAtMs([name, other])).toBe(1);
      expect(await subject().deadlines.nextAtMs([unique("due")])).toBeUndefined();
    });

    test("setting replaces, cancelling takes away, in the order of the changes", async () => {
      const name = unique("due");
      await change(setDeadline(name, "a", 10), setDeadline(name, "b", 10));
      await change(
        { change: "cancel", name, key: "a" },
        setDeadline(name, "a", 40),
        setDeadline(name, "b", 50),
        { change: "cancel", name, key: "b" },
        { change: "cancel", name, key: "never" },
      );
      expect(await due(name, 1_000)).toMatchObject([{ key: "a", atMs: 40 }]);
    });

    test("settling forgets what has passed, and not what was set anew meanwhile", async () => {
      const name = unique("due");
      await change(setDeadline(name, "a", 10), setDeadline(name, "b", 10));
      const found = await due(name, 10);
      await change(setDeadline(name, "b", 20));
      await subject().deadlines.settle(found);
      await subject().deadlines.settle(found);
      expect(await due(name, 1_000)).toMatchObject([{ key: "b", atMs: 20 }]);
      await subject().deadlines.settle([]);
    });

    test("they are found by their tags, the earliest first", async () => {
      const [name, key] = [unique("due"), unique("p")];
      const later = setDeadline(name, "b", 20);
      await change({ ...later, tags: ["student:s", `payment:${key}`] }, setDeadline(name, key, 10));
      const found = await subject().deadlines.tagged(`payment:${key}`, 10);
      expect(keysOf(found)).toEqual([key, "b"]);
      expect(keysOf(await subject().deadlines.tagged(`payment:${key}`, 1))).toEqual([key]);
      expect(at(found, 1).tags).toEqual(["student:s", `payment:${key}`]);
    });
  });
}
