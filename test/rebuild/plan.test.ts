import { describe, expect, test } from "vitest";

import { integer, text } from "../../engine/columns.ts";
import { offset } from "../../engine/position.ts";
import type { RebuildFrom } from "../../engine/ports/rebuilds.ts";
import { defineProjection, type ErasedEventProjection } from "../../engine/projection.ts";
import { planRebuild } from "../../engine/rebuild/plan.ts";
import { foldAll, type GivenEvent, happened } from "../../engine/testing/given.ts";
import { board, Closed, counters, history, Opened } from "../engine/seats.ts";
import { RebuildStage } from "./stage.ts";

const numbers = Array.from({ length: 150 }, (_, at) => (at * 7919) % 1009);

/** Its row is what the last event says. */
const latest = defineProjection({
  name: "latest",
  version: 1,
  from: counters,
  overwrites: true,
  row: { code: text(), size: integer() },
  key: "code",
  on: {
    Opened: (_, e) => ({ code: e.code, size: e.size }),
    Moved: (_, e) => ({ code: e.code, size: e.by }),
    Closed: () => undefined,
  },
}) as ErasedEventProjection;

async function staged(projection = board as ErasedEventProjection): Promise<RebuildStage> {
  const stage = await new RebuildStage().open();
  await stage.append(history(numbers));
  await stage.work([projection]);
  await stage.caughtUp(projection);
  return stage;
}

async function plan(stage: RebuildStage, from: RebuildFrom, of = board as ErasedEventProjection) {
  const serving = await stage.serving(of);
  const environment = { ...stage.environment(), limits: undefined };
  const { limits: _, ...rest } = environment;
  return planRebuild({ ...rest, projection: of, request: { from }, serving });
}

async function takeBefore(stage: RebuildStage, before: number): Promise<void> {
  const all = [0, 1, 2, 3].map((partition) => [partition, offset(before)] as const);
  await stage.log.deleteBefore("counters", new Map(all));
}

/** Takes a snapshot of what serves, audited as a policy would have it. */
async function snapshot(stage: RebuildStage, of = board as ErasedEventProjection) {
  const info = await stage.snapshots.take(await stage.serving(of));
  await stage.snapshots.audited(info.id, "beginning");
  return info;
}

/** Recorded times are a second apart from 1970 on. */
const atEvent = (number: number): RebuildFrom => ({ kind: "time", atMs: number * 1_000 });
const earliest: RebuildFrom = { kind: "earliest" };

describe("a plan", () => {
  test("tells what is read from where, how much it is, and how long it may take", async () => {
    await using stage = await staged();
    const made = await plan(stage, earliest);
    const bounds = await stage.log.bounds("counters");
    expect(made.start).toEqual({ kind: "beginning" });
    expect(made.events).toBe(150);
    expect(made.partitions).toMatchObject(
      bounds.map(({ partition, end }) => ({
        topic: "counters",
        partition,
        from: 0n,
        start: 0n,
        taken: 0n,
        end,
        events: Number(end),
      })),
    );
    expect(made.bytes).toBeGreaterThan(150 * 50);
    expect(made.seconds).toBeGreaterThan(0);
    expect(made.schemas).toEqual(["test.Closed 3", "test.Moved 2", "test.Opened 1"]);
    expect(made.warnings).toEqual([]);
    expect(await stage.generations.list()).toHaveLength(1);
  });

  test("of a time without any snapshot begins at the beginning", async () => {
    await using stage = await staged();
    expect(await plan(stage, atEvent(100))).toMatchObject({
      start: { kind: "beginning" },
      events: 150,
    });
  });

  test("of a time begins with the newest audited snapshot that isn't beyond it", async () => {
    await using stage = await staged();
    const early = await snapshot(stage);
    const times = 150;
    await stage.append(history(numbers.slice(0, 60)));
    await stage.caughtUp(board);
    await snapshot(stage);
    const made = await plan(stage, atEvent(times + 20));
    expect(made.start).toMatchObject({ kind: "snapshot", snapshot: early.id });
    expect(made.events).toBe(60);
    expect(await plan(stage, atEvent(times - 20))).toMatchObject({ start: { kind: "beginning" } });
  });

  test("leaves alone snapshots that weren't audited, or were refuted", async () => {
    await using stage = await staged();
    const refuted = await snapshot(stage);
    await stage.snapshots.refuted(refuted.id, "other rows");
    await stage.snapshots.take(await stage.serving(board));
    await stage.append(history(numbers.slice(0, 20)));
    expect(await plan(stage, atEvent(160))).toMatchObject({ start: { kind: "beginning" } });
  });

  test("from offsets begins with a snapshot at or before them", async () => {
    await using stage = await staged();
    const { id, positions } = await snapshot(stage);
    const offsets = positions.map(({ topic, partition, position }) => {
      return { topic, partition, offset: position.nextOffset };
    });
    expect(await plan(stage, { kind: "positions", offsets })).toMatchObject({
      start: { kind: "snapshot", snapshot: id },
      events: 0,
    });
  });

  test("tells what retention has taken, and goes on from a snapshot", async () => {
    await using stage = await staged();
    const { id } = await snapshot(stage);
    await takeBefore(stage, 5);
    const made = await plan(stage, earliest);
    expect(made.start).toMatchObject({ kind: "snapshot", snapshot: id });
    expect(made.partitions.map(({ taken }) => taken)).toEqual([5n, 5n, 5n, 5n]);
    expect(made.warnings).toEqual([expect.stringMatching(/taken 20 records/)]);
  });
});

describe("a plan is refused", () => {
  test("when the log's beginning is gone and no snapshot covers it", async () => {
    await using stage = await staged();
    await takeBefore(stage, 5);
    const refusal = plan(stage, atEvent(100));
    await expect(refusal).rejects.toMatchObject({ code: "history-gone" });
    await expect(refusal).rejects.toThrow(/counters\/0 begins at offset 5/);
  });

  test("when the only snapshot holds what was recorded after the time that was asked for", async () => {
    await using stage = await staged();
    const { positions } = await snapshot(stage);
    const taken = positions.map((at) => [at.partition, at.position.nextOffset] as const);
    await stage.log.deleteBefore("counters", new Map(taken));
    // The log tells of the time only that it begins after it, where the snapshot stands.
    await expect(plan(stage, atEvent(20))).rejects.toMatchObject({ code: "history-gone" });
    expect(await plan(stage, atEvent(200))).toMatchObject({ start: { kind: "snapshot" } });
  });

  test("when the only snapshot is older than what the log has left", async () => {
    await using stage = await new RebuildStage().open();
    await stage.append(history(numbers.slice(0, 40)));
    await stage.work([board]);
    await stage.caughtUp(board);
    await snapshot(stage);
    await stage.append(history(numbers));
    await stage.caughtUp(board);
    await takeBefore(stage, 25);
    await expect(plan(stage, earliest)).rejects.toMatchObject({ code: "history-gone" });
  });

  test.each<[string, RebuildFrom, RegExp]>([
    ["at-in-future", { kind: "time", atMs: Date.UTC(2100, 0, 1) }, /2100/],
    [
      "beyond-end",
      { kind: "positions", offsets: [{ topic: "counters", partition: 0, offset: 9_999n }] },
      /counters\/0 ends at offset/,
    ],
    [
      "partition-unknown",
      { kind: "positions", offsets: [{ topic: "notes", partition: 0, offset: 0n }] },
      /notes\/0/,
    ],
  ])("as %s", async (code, from, message) => {
    await using stage = await staged();
    await expect(plan(stage, from)).rejects.toMatchObject({ code });
    await expect(plan(stage, from)).rejects.toThrow(message);
  });
});

describe("a rebuild", () => {
  test("from a snapshot gives the rows of the whole history", async () => {
    await using stage = await staged();
    await snapshot(stage);
    await stage.append(history(numbers.slice(0, 60)));
    await stage.caughtUp(board);
    const id = await stage.start(board, { from: atEvent(155) });
    const record = await stage.conduct(board, id);
    expect(record).toMatchObject({ state: "swapped", plan: { start: { kind: "snapshot" } } });
    expect(record.proof?.snapshot).toBe(1n);
    const rows = await stage.rowsOf(await stage.serving(board));
    expect(rows).toEqual(foldAll(board, stage.events));
  });

  test("of pure overwrites begins in the middle, and needs to be accepted where rows are missing", async () => {
    await using stage = await new RebuildStage().open();
    await stage.append([happened(Opened, { code: "once", size: 1 }), ...history(numbers)]);
    await stage.work([latest]);
    await stage.caughtUp(latest);
    const made = await plan(stage, atEvent(60), latest);
    expect(made.start).toEqual({ kind: "cold" });
    expect(made.warnings).toEqual([expect.stringMatching(/will be missing/)]);
    const id = await stage.start(latest, { from: atEvent(60), accept: true });
    const record = await stage.conduct(latest, id);
    expect(record).toMatchObject({ state: "swapped", proof: { changed: 0, added: 0 } });
    expect(record.proof?.removedSamples).toContain("once");
    // What it begins with are source coordinates: a copy of an old record is still a duplicate.
    const serving = await stage.serving(latest);
    const positions = await stage.readModels.positions(serving);
    expect(positions.map(({ position }) => position?.source.kind)).toEqual(
      Array.from({ length: 4 }, () => "lane"),
    );
    const some: GivenEvent[] = [
      happened(Closed, { code: "a" }),
      happened(Opened, { code: "b", size: 7 }),
    ];
    await stage.append(some);
    await stage.caughtUp(latest);
    const rows = foldAll(latest, stage.events);
    rows.delete("once");
    expect(await stage.rowsOf(serving)).toEqual(rows);
  });
});
