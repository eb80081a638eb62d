import { expect, test } from "vitest";

import { KeyHistory } from "../../engine/history/refold-key.ts";
import { ManualClock, SeededRandom } from "../../engine/memory/clock.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import type { RowChange } from "../../engine/ports/codec.ts";
import { TableStage } from "../../engine/testing/table-stage.ts";
import { moduleCatalogue } from "../../projections/module-catalogue/index.ts";

const row = (code: string, capacity: number) => ({
  code,
  title: code,
  capacity,
  fee_cents: 0,
  opens_at: null,
  closes_at: null,
  updated_at: "2026-01-01T00:00:00Z",
});

async function tableOfTest() {
  const stage = await TableStage.open({
    topic: moduleCatalogue.from,
    key: moduleCatalogue.key,
  });
  let commits = 0;
  const change = async (op: RowChange["op"], atMs: number, of: ReturnType<typeof row>) => {
    commits += 1;
    const isDelete = op === "d";
    await stage.append({
      op,
      before: isDelete ? of : null,
      after: isDelete ? null : of,
      sourceTimestampMs: atMs,
      commitLsn: BigInt(commits),
      order: 1,
      transactionId: String(commits),
      snapshot: false,
    });
  };
  const clock = new ManualClock(100_000);
  const history = new KeyHistory({
    log: stage.log,
    codec: stage.codec,
    eventStore: new MemoryEventStore({ clock }),
    clock,
    random: new SeededRandom(),
    projections: [moduleCatalogue],
    captureGraceMs: 5_000,
  });
  const capacityAt = async (atMs: number) =>
    (await history.asOf(moduleCatalogue.name, "MA101", atMs)).row?.["capacity"];
  return { change, capacityAt };
}

test("a table's row is told by its changes' commit times", async () => {
  const { change, capacityAt } = await tableOfTest();
  await change("c", 1_000, row("MA101", 1));
  await change("u", 2_000, row("MA101", 2));
  await change("d", 3_000, row("MA101", 2));
  await change("c", 4_000, row("MA101", 4));
  const told = await Promise.all([999, 1_000, 1_999, 2_000, 3_000, 4_000].map(capacityAt));
  expect(told).toEqual([undefined, 1, 1, 2, undefined, 4]);
});

test("a commit time that goes back counts as the latest before it", async () => {
  const { change, capacityAt } = await tableOfTest();
  await change("c", 5_000, row("MA101", 1));
  await change("u", 2_000, row("MA101", 2));
  expect(await capacityAt(3_000)).toBeUndefined();
  expect(await capacityAt(5_000)).toBe(2);
});

test("a time is settled once a later change is there, or the capture's grace is over", async () => {
  const { change, capacityAt } = await tableOfTest();
  await change("c", 1_000, row("MA101", 1));
  await expect(capacityAt(95_001)).rejects.toMatchObject({ code: "at-not-settled" });
  expect(await capacityAt(95_000)).toBe(1);
  await change("u", 99_000, row("MA101", 2));
  expect(await capacityAt(98_999)).toBe(1);
});
