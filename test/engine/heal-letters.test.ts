import { expect, test } from "vitest";

import { KeyHistory } from "../../engine/history/refold-key.ts";
import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import type { RowSource } from "../../engine/ports/row-source.ts";
import { defineProjection } from "../../engine/projection.ts";
import { happened } from "../../engine/testing/given.ts";
import { MemoryStage } from "./generation-stage.ts";
import { realClock, realRandom, until } from "./process.ts";
import { board, counters, Moved, Opened } from "./seats.ts";

/** Can't fold a move by 13 until it is told how. */
function parkingBoard() {
  const skill = { learned: false };
  const { name, version, row, on } = board;
  const projection = defineProjection({
    name,
    version,
    from: counters,
    row,
    key: "code",
    onRecordError: "park",
    on: {
      Opened: on.Opened,
      Closed: on.Closed,
      Moved: (held, e) => {
        if (e.by === 13 && !skill.learned) throw new RangeError("Thirteen can't be added.");
        return held && { ...held, held: held.held + e.by, moves: held.moves + 1 };
      },
    },
  });
  return { skill, projection };
}

/** One letter is open, and `during` happens while a heal folds its row for the first time. */
async function parked() {
  const deadLetters = new MemoryDeadLetters();
  const stage = new MemoryStage(new MemoryReadModelStore({ deadLetters }));
  const moves = [1, 13].map((by) => happened(Moved, { code: "a", by }));
  await stage.begin([happened(Opened, { code: "a", size: 5 }), ...moves]);
  const { skill, projection } = parkingBoard();
  const rows = new KeyHistory({
    log: stage.log,
    codec: stage.codec,
    deadLetters,
    eventStore: new MemoryEventStore({ clock: realClock }),
    clock: realClock,
    random: realRandom,
    projections: [projection],
    captureGraceMs: 0,
  });
  const start = (rowAt: RowSource["rowAt"]) =>
    stage.run({
      projections: [projection],
      deadLetters,
      // Letters are looked for from time to time.
      clock: realClock,
      lettersPollMs: 5,
      heal: { rows: { rowAt }, comparisons: stage.comparisons },
    });
  const redriven = async () => {
    skill.learned = true;
    await deadLetters.order({ letters: {}, action: "redrive", by: "a test", reason: undefined });
    const open = { disposition: "failed", limit: 1 } as const;
    await until("it is redriven", async () => (await deadLetters.list(open)).length === 0);
  };
  const isParked = async () => (await deadLetters.list({ limit: 1 })).length === 1;
  return { stage, rows, start, redriven, isParked };
}

test("a row whose dead letter is redriven while a heal folds it is left as the letter made it", async () => {
  const { stage, rows, start, redriven, isParked } = await parked();
  let asks = 0;
  await start(async (ask) => {
    const row = await rows.rowAt(ask);
    asks += 1;
    // It was folded without the letter, from which on a heal would go on.
    if (asks === 1) await redriven();
    return row;
  });
  await until("the letter is there", isParked);
  const nudging = setInterval(() => stage.generations.changes.give(), 5);
  const outcome = await stage.heal("a");
  clearInterval(nudging);
  expect(asks).toBeGreaterThan(1);
  expect(outcome).toEqual({ kind: "sound" });
  expect((await stage.rows(1)).get("a")).toMatchObject({ held: 14, moves: 2 });
});
