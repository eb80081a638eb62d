import { expect, test } from "vitest";

import { DigestDeltas } from "../../engine/digest.ts";
import { auditWhole } from "../../engine/history/audit.ts";
import { defaultSnapshotLimits, SnapshotPolicy } from "../../engine/history/snapshot-policy.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import type {
  Disposition,
  LetterFilter,
  StoredDeadLetter,
} from "../../engine/ports/dead-letters.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { offset, sequence } from "../../engine/position.ts";
import { storedColumns } from "../../engine/task/pipeline.ts";
import { happened } from "../../engine/testing/given.ts";
import { deadLetter } from "../conformance/store-samples.ts";
import { board, counters, Moved, Opened } from "../engine/seats.ts";
import { PastWorld, taggedBoard } from "./past-world.ts";

/** A letter of the second record of key `a`, which moves it. */
const letterOf = (consumer: string, disposition: Disposition): StoredDeadLetter => ({
  ...deadLetter(consumer),
  topic: "counters",
  partition: partitionOf("a", 4),
  generation: 1,
  offset: offset(1),
  source: { kind: "lane", incarnation: "memory", sequence: sequence(2) },
  id: 1n,
  disposition,
  firstAt: new Date(0),
  lastAt: new Date(0),
  attempts: 1,
  asked: undefined,
  asks: 0,
  settledAt: undefined,
  reason: undefined,
  edit: undefined,
});

async function worldWith(disposition: Disposition) {
  const world = await PastWorld.open();
  const moved = happened(Moved, { code: "a", by: 1 });
  await world.happen(happened(Opened, { code: "a", size: 3 }), moved, moved);
  await world.publish();
  world.clock.advance(1_000);
  const deadLetters = {
    list: async (filter: LetterFilter) =>
      filter.disposition === disposition ? [letterOf(filter.consumer ?? "", disposition)] : [],
  };
  return { world, deadLetters };
}

test.each(["discarded", "failed", "waiting"] as const)(
  "a record that is %s is passed over, in the log and in the event store",
  async (disposition) => {
    const { world, deadLetters } = await worldWith(disposition);
    using past = world.history({ deadLetters });
    for (const { name } of [board, taggedBoard]) {
      expect((await past.rowAsOf(name, "a", 1_500)).row).toMatchObject({ moves: 1 });
    }
    const { result } = await past.reader(1_500).find(board.name, { limit: 1 });
    expect(result.rows[0]?.row).toMatchObject({ moves: 1 });
  },
);

test("a record that was redriven is a record like any other", async () => {
  const { world, deadLetters } = await worldWith("redriven");
  using past = world.history({ deadLetters });
  expect((await past.rowAsOf(board.name, "a", 1_500)).row).toMatchObject({ moves: 2 });
});

test("a record that was redriven as edited has that value, in the log and in the event store", async () => {
  const { world } = await worldWith("redriven");
  const value = world.codec.encode(counters, Moved, { code: "a", by: 5 });
  const edit = { value, by: "ann", reason: "typo", at: new Date(0) };
  const deadLetters = {
    list: async ({ consumer = "", disposition, edited }: LetterFilter) =>
      disposition === "redriven" && edited !== false
        ? [{ ...letterOf(consumer, "redriven"), edit }]
        : [],
  };
  using past = world.history({ deadLetters });
  for (const { name } of [board, taggedBoard]) {
    expect((await past.rowAsOf(name, "a", 1_500)).row).toMatchObject({ moves: 2, held: 6 });
  }
});

test("no snapshot is taken while records wait as dead letters", async () => {
  for (const disposition of ["failed", "waiting", "redriven", "discarded"] as const) {
    const { world, deadLetters } = await worldWith(disposition);
    await world.follow(board);
    const policy = new SnapshotPolicy({
      ...defaultSnapshotLimits,
      ...world.source,
      ...world.ports,
      deadLetters,
      projections: [board],
      isMine: () => true,
      metrics: noMetrics,
      report: () => undefined,
    });
    await policy.look(board);
    const isOpen = disposition === "failed" || disposition === "waiting";
    expect(await world.snapshots.list(board.name)).toHaveLength(isOpen ? 0 : 1);
  }
});

test("a snapshot that was taken just after a record was set aside goes again", async () => {
  const { world, deadLetters } = await worldWith("failed");
  const place = { topic: "counters", partition: partitionOf("a", 4) };
  const generation = await world.follow(board);
  const row = { code: "a", size: 3, held: 1, moves: 1 };
  const deltas = new DigestDeltas(storedColumns(board));
  deltas.change("a", { ...row, held: 2, moves: 2 }, row);
  const digests = deltas.take();
  const nothing = { generation, advances: [], digests, notices: [], deadLetters: [] };
  await world.store.flush({ ...nothing, rows: [{ key: "a", partition: place.partition, row }] });
  await world.snapshots.take(generation);
  const policy = new SnapshotPolicy({
    ...defaultSnapshotLimits,
    ...world.source,
    ...world.ports,
    deadLetters,
    projections: [board],
    isMine: () => true,
    metrics: noMetrics,
    report: () => undefined,
  });
  await policy.look(board);
  expect(await world.snapshots.list(board.name)).toEqual([]);
});

test("an audit during which letters are redriven is given up, and says so", async () => {
  const { world, deadLetters } = await worldWith("waiting");
  const generation = await world.follow(board);
  let looks = 0;
  const settling = {
    list: async (filter: Parameters<typeof deadLetters.list>[0]) => {
      // Three dispositions are asked for at each look; the letters are gone at the third look.
      looks += 1;
      return looks > 6 ? [] : deadLetters.list(filter);
    },
  };
  const source = { ...world.source, ...world.ports, deadLetters: settling };
  const ask = { projection: board, generation, from: "beginning", rowsMax: 10 } as const;
  await expect(auditWhole(source, { ...ask, onDrift: () => undefined })).rejects.toMatchObject({
    code: "letters-settled",
  });
});
