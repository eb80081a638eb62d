import { array, assert, constantFrom, integer, oneof, property, record } from "fast-check";
import { expect, test } from "vitest";

import { type Notice, PositionVector } from "../../api/updates/update.ts";
import { UpdateWindows } from "../../api/updates/windows.ts";
import { ManualClock } from "../../engine/memory/clock.ts";

/** Of two partitions, so that modules share one. */
const partitions: Readonly<Record<string, number>> = { A: 0, B: 0, C: 0, D: 1, E: 1 };
const modules = Object.keys(partitions);
const groups = [undefined, new Set(["A"]), new Set(["A", "B"]), new Set(["B", "D", "E"])];

const step = oneof(
  record({ notice: constantFrom(...modules) }),
  record({ restMs: integer({ min: 0, max: 400 }) }),
);
const steps = array(step, { minLength: 1, maxLength: 150 });
const rates = integer({ min: 1, max: 12 });

interface Told {
  readonly atMs: number;
  readonly sequence: number;
}

/** Windows, with all that was read and told of each module. */
class Stage {
  readonly clock = new ManualClock();
  readonly windows: UpdateWindows;
  readonly read = new Map<string, number[]>(modules.map((code) => [code, []]));
  readonly told = new Map<string, Told[]>(modules.map((code) => [code, []]));
  readonly vector = new PositionVector("life");

  constructor(updatesPerSecondMax: number) {
    const tell = ({ event, sequence }: Notice) => {
      this.told.get(event.moduleCode)?.push({ atMs: this.clock.monotonicMs(), sequence });
      this.#holdIds();
    };
    this.windows = new UpdateWindows({ clock: this.clock, updatesPerSecondMax, tell });
  }

  notice(moduleCode: string): void {
    const partition = partitions[moduleCode] ?? 0;
    const sequence = this.vector.get(partition) + 1;
    const seats = { capacity: 1, held: 0, confirmed: 0, available: 1, sourcePosition: "" };
    const notice = { partition, sequence, incarnation: "life", event: { moduleCode, ...seats } };
    this.vector.advance(notice);
    this.read.get(moduleCode)?.push(sequence);
    this.windows.take(notice);
    this.#holdIds();
  }

  rest(ms: number): void {
    this.clock.advance(ms);
    for (const _ of this.windows.turn()) this.#holdIds();
    this.#holdIds();
  }

  lastTold(code: string): number {
    return this.told.get(code)?.at(-1)?.sequence ?? 0;
  }

  /** What a group lacks: of each of its modules the newest, where that is not told. */
  #lacks(partition: number, group: ReadonlySet<string> | undefined): number[] {
    return modules.flatMap((code) => {
      const newest = this.read.get(code)?.at(-1) ?? 0;
      const isTheirs = partitions[code] === partition && (group?.has(code) ?? true);
      return isTheirs && newest > this.lastTold(code) ? [newest] : [];
    });
  }

  /** A group's id stands right before the first thing that it lacks, or at the end. */
  #holdIds(): void {
    for (const group of groups) {
      const id = this.vector.copy();
      this.windows.holdBack(id, group);
      for (const partition of [0, 1]) {
        const end = this.vector.get(partition);
        const expected = Math.min(
          end,
          ...this.#lacks(partition, group).map((lacked) => lacked - 1),
        );
        expect(id.get(partition)).toBe(expected);
      }
    }
  }
}

const run = (
  perSecond: number,
  all: readonly ({ notice: string } | { restMs: number })[],
): Stage => {
  const stage = new Stage(perSecond);
  for (const one of all) {
    if ("notice" in one) stage.notice(one.notice);
    else stage.rest(one.restMs);
  }
  return stage;
};

test("a module is told of at most so often in any second", () => {
  assert(
    property(rates, steps, (perSecond, all) => {
      const { told } = run(perSecond, all);
      for (const ofModule of told.values()) {
        for (const [index, { atMs }] of ofModule.entries()) {
          const later = ofModule[index + perSecond];
          if (later !== undefined) expect(later.atMs - atMs).toBeGreaterThanOrEqual(1_000);
        }
      }
    }),
  );
});

test("a module's updates are told in order, each once, and its last one always", () => {
  assert(
    property(rates, steps, (perSecond, all) => {
      const stage = run(perSecond, all);
      while (!stage.windows.idle) stage.rest(50);
      for (const [code, ofModule] of stage.told) {
        const sequences = ofModule.map(({ sequence }) => sequence);
        expect(sequences).toEqual([...new Set(sequences)].toSorted((a, b) => a - b));
        expect(stage.lastTold(code)).toBe(stage.read.get(code)?.at(-1) ?? 0);
      }
    }),
  );
});

test("an update after a rest is told at once, and any other within a window and a half", () => {
  const stage = new Stage(4);
  stage.notice("A");
  expect(stage.lastTold("A")).toBe(1);
  for (let ms = 0; ms < 375; ms += 5) {
    stage.rest(5);
    if (ms < 200) stage.notice("A");
  }
  expect(stage.lastTold("A")).toBe(stage.read.get("A")?.at(-1));
  stage.rest(250);
  expect(stage.windows.idle).toBe(true);
  stage.notice("A");
  expect(stage.lastTold("A")).toBe(stage.read.get("A")?.at(-1));
});

test("modules whose first updates come together are told of apart from then on", () => {
  const stage = new Stage(4);
  for (const code of modules) stage.notice(code);
  for (const code of modules) stage.notice(code);
  while (!stage.windows.idle) stage.rest(1);
  const seconds = [...stage.told.values()].map((ofModule) => ofModule[1]?.atMs ?? 0);
  seconds.sort((one, other) => one - other);
  const apart = seconds.slice(1).map((atMs, index) => atMs - (seconds[index] ?? 0));
  expect(Math.min(...apart)).toBeGreaterThan(5);
});

test("who missed an update is told when the module's window ends, which it then begins anew", () => {
  const stage = new Stage(4);
  const late: number[] = [];
  const tellLate = () => void late.push(stage.clock.monotonicMs());
  stage.windows.takeLate("A", tellLate);
  expect(late).toEqual([0]);
  stage.windows.takeLate("A", tellLate);
  stage.notice("A");
  expect(stage.lastTold("A")).toBe(0);
  while (late.length < 2) stage.rest(1);
  expect(stage.lastTold("A")).toBe(1);
  stage.notice("A");
  expect(stage.lastTold("A")).toBe(1);
  stage.rest(250);
  expect(stage.lastTold("A")).toBe(2);
});
