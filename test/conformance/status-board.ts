import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { offset } from "../../engine/position.ts";
import type { StatusBoard, TaskReport } from "../../engine/ports/status-board.ts";
import { freshName, topic } from "./store-samples.ts";

export interface StatusBoardSubject extends AsyncDisposable {
  readonly board: StatusBoard;
}

/** The report as the board gives it back. */
const posted = (instance: string, report: TaskReport) => ({
  ...report,
  instance,
  reportedAtMs: expect.any(Number),
});

const report = (over: Partial<TaskReport> = {}): TaskReport => ({
  consumer: "seats",
  kind: "projection",
  generation: 1,
  topic,
  partition: 0,
  state: "running",
  nextOffset: offset(2n ** 53n + 1n),
  parkedKeys: 2,
  recordsPerSecond: 1234.5,
  lastRecordedAtMs: 1_700_000_000_123,
  currentAsOfMs: 1_700_000_000_456,
  reason: undefined,
  ...over,
});

export function statusBoardConformance(
  adapter: string,
  make: () => Promise<StatusBoardSubject>,
): void {
  describe(`status board, ${adapter}`, () => {
    let subject: StatusBoardSubject;
    beforeAll(async () => {
      subject = await make();
    });
    afterAll(() => subject[Symbol.asyncDispose]());
    const of = async (instance: string) => {
      const entries = await subject.board.read();
      return entries.filter((entry) => entry.instance === instance);
    };

    test("a report comes back as it was given", async () => {
      const instance = freshName();
      const halted = report({
        kind: "processor",
        generation: undefined,
        partition: 1,
        state: "halted",
        lastRecordedAtMs: undefined,
        currentAsOfMs: undefined,
        reason: "Events 3 to 5 are missing. Publish them again.",
      });
      await subject.board.report(instance, [report(), halted]);
      const entries = await of(instance);
      expect(entries).toHaveLength(2);
      expect(entries).toEqual(
        expect.arrayContaining([posted(instance, report()), posted(instance, halted)]),
      );
    });

    test("how a store is brought what was committed comes back as it was given", async () => {
      const instance = freshName();
      const given = [
        report({ following: { rowsWaiting: 0, reason: undefined } }),
        report({ partition: 1, following: { rowsWaiting: 12, reason: "It can't be reached." } }),
        report({ partition: 2 }),
      ];
      await subject.board.report(instance, given);
      expect(await of(instance)).toEqual(given.map((one) => posted(instance, one)));
    });

    test("a report replaces the instance's last one and no other's", async () => {
      const [one, two] = [freshName(), freshName()];
      await subject.board.report(one, [report(), report({ partition: 1 })]);
      await subject.board.report(two, [report({ partition: 2 })]);
      await subject.board.report(one, [report({ partition: 3 })]);
      expect(await of(one)).toEqual([posted(one, report({ partition: 3 }))]);
      expect(await of(two)).toEqual([posted(two, report({ partition: 2 }))]);
      await subject.board.report(one, []);
      expect(await of(one)).toEqual([]);
    });

    test("reports of one instance at the same moment leave one of them", async () => {
      const instance = freshName();
      await Promise.all([1, 2, 3].map(() => subject.board.report(instance, [report()])));
      expect(await of(instance)).toEqual([posted(instance, report())]);
    });
  });
}
