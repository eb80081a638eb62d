import { expect, test } from "vitest";

import { integer, text } from "../../engine/columns.ts";
import {
  accept,
  defineCommand,
  defineDecisionModel,
  fact,
  refuse,
} from "../../engine/decision/definition.ts";
import { defineProcessor } from "../../engine/processor.ts";
import { defineProjection } from "../../engine/projection.ts";
import {
  type Check,
  happened,
  processorChecks,
  projectionChecks,
} from "../../engine/testing/index.ts";
import { Closed, counters, history, Moved, Noted, notes, Opened } from "../engine/seats.ts";

const noted = defineDecisionModel({
  name: "noted",
  tag: "note",
  topic: notes,
  initial: 0,
  on: { Noted: (count) => count + 1 },
});

const note = defineCommand({
  name: "note",
  reads: ({ code }: { code: string; text: string }) => ({ noted: noted.of(code) }),
  decide: ({ code, text }, { noted }, context) =>
    noted < 3
      ? accept([fact(notes, Noted, { code, note: `${text} ${context.newId()}` })], undefined)
      : refuse("enough", "There are three notes already."),
});

const overflow = defineCommand({
  name: "overflow",
  reads: () => ({}),
  decide: ({ code }: { code: string }) =>
    accept([fact(notes, Noted, { code: `${code}-overflow`, note: "one too many" })], undefined),
});

const notary = defineProcessor({
  name: "notary",
  from: counters,
  key: "code",
  state: { last: text() },
  on: {
    Opened: (_, e) => ({ last: `opened ${e.size}` }),
    Moved: (state, e, emit) => {
      emit(note({ code: e.code, text: state?.last ?? "nothing" }), {
        refused: () => overflow({ code: e.code }),
      });
      return { last: `moved ${e.by}` };
    },
    Closed: () => undefined,
  },
});

const numbers = Array.from({ length: 60 }, (_, at) => (at * 7919) % 1009);

for (const { name, run } of processorChecks({ processor: notary, history: history(numbers) })) {
  test(`a processor with state, refusals and ids of its own: ${name}`, run);
}

const crashes = (checks: readonly Check[]): Check => checks.at(-1) as Check;

test("the suite fails where a history passes a crash point too seldom to crash there", async () => {
  const short = [happened(Opened, { code: "a", size: 1 })];
  const check = crashes(processorChecks({ processor: notary, history: short }));
  await expect(check.run()).rejects.toThrow(/passes the crash point \S+ fewer than \d times/);
});

test("the suite fails for a processor that remembers outside of its state", async () => {
  let moves = 0;
  const forgetful = defineProcessor({
    name: "forgetful",
    from: counters,
    key: "code",
    on: {
      Opened: "ignore",
      Moved: (_, { code }, emit) => emit(note({ code, text: String((moves += 1)) })),
      Closed: "ignore",
    },
  });
  const check = crashes(processorChecks({ processor: forgetful, history: history(numbers) }));
  await expect(check.run()).rejects.toThrow(/forgetful has made other events/);
});

test("the suite fails for a projection that remembers outside of its rows", async () => {
  let moves = 0;
  const counting = defineProjection({
    name: "counting",
    version: 1,
    from: counters,
    row: { code: text(), moves: integer() },
    key: "code",
    on: {
      Opened: (_, { code }) => ({ code, moves: 0 }),
      Moved: (row) => row && { ...row, moves: (moves += 1) },
      Closed: "ignore",
    },
  });
  const events = [
    ...history(numbers),
    happened(Moved, { code: "a", by: 1 }),
    happened(Closed, { code: "a" }),
  ];
  const check = crashes(projectionChecks({ projection: counting, events }));
  await expect(check.run()).rejects.toThrow(/counting has other rows/);
});
