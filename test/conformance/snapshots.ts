import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { SnapshotRow } from "../../engine/ports/read-model-snapshots.ts";
import { fill, type GenerationsSubject, twoGenerations } from "./generations-subject.ts";
import { flushOf } from "./read-model-subject.ts";
import { at, everyKind, everyKindRows, laneAt, readModel, topic } from "./store-samples.ts";

export function snapshotsConformance(
  adapter: string,
  make: () => Promise<GenerationsSubject>,
): void {
  describe(`snapshots, ${adapter}`, () => {
    let subject: GenerationsSubject;
    beforeAll(async () => {
      subject = await make();
    });
    afterAll(() => subject[Symbol.asyncDispose]());
    keeping(() => subject);
    judging(() => subject);
  });
}

async function allRows({ snapshots }: GenerationsSubject, id: bigint): Promise<SnapshotRow[]> {
  const rows: SnapshotRow[] = [];
  for await (const page of snapshots.rows(id)) {
    expect(page.length).toBeGreaterThan(0);
    rows.push(...page);
  }
  return rows;
}

function keeping(subject: () => GenerationsSubject): void {
  test("a snapshot keeps rows, positions and digests of its moment", async () => {
    const { store, snapshots } = subject();
    const { live, projection } = await twoGenerations(subject());
    const held = { b: 2, a: 1, "\u{1F600}": 4, "\uFB01": 3, Z: 0 };
    await fill(store, live, { held, upTo: 5 });
    const digests = await store.digests(live);
    const taken = await snapshots.take(live);
    await fill(store, live, { held: { a: 9, c: 9 }, upTo: 6 });
    expect(taken).toMatchObject({
      projection,
      version: 1,
      generation: 1,
      rows: 5,
      records: 1,
      lastRecordedAtMs: 1_700_000_000_005,
      positions: [
        { topic, partition: 0, position: laneAt(5), lastRecordedAtMs: 1_700_000_000_005 },
      ],
      digests,
      audit: undefined,
      refuted: undefined,
    });
    expect(await snapshots.list(projection)).toEqual([taken]);
    const rows = await allRows(subject(), taken.id);
    expect(rows.map(({ key }) => key)).toEqual(["Z", "a", "b", "\uFB01", "\u{1F600}"]);
    expect(rows[1]).toEqual({ key: "a", partition: 0, row: { moduleCode: "a", held: 1 } });
    expect(await snapshots.row(taken.id, "a")).toEqual({
      partition: 0,
      row: { moduleCode: "a", held: 1 },
    });
    expect(await snapshots.row(taken.id, "c")).toBeUndefined();
  });

  test("values of every kind are kept as they were", async () => {
    const { store, snapshots } = subject();
    const generation = await store.open(readModel({ columns: everyKind }));
    const given = everyKindRows().map((row, index) => ({ key: `k${index}`, partition: 1, row }));
    await store.flush(flushOf(generation, { rows: given }));
    const { id } = await snapshots.take(generation);
    expect(await allRows(subject(), id)).toEqual(given);
  });

  test("a snapshot of an empty read model is one", async () => {
    const { snapshots } = subject();
    const { live } = await twoGenerations(subject());
    const taken = await snapshots.take(live);
    expect(taken).toMatchObject({ rows: 0, records: 0, positions: [] });
    expect(taken.lastRecordedAtMs).toBeUndefined();
    expect(await allRows(subject(), taken.id)).toEqual([]);
  });
}

function judging(subject: () => GenerationsSubject): void {
  test("audits and refutations are written down, newest snapshots listed first", async () => {
    const { snapshots } = subject();
    const { live, projection } = await twoGenerations(subject());
    const first = await snapshots.take(live);
    const second = await snapshots.take(live);
    await snapshots.audited(first.id, "beginning");
    await snapshots.audited(second.id, first.id);
    await snapshots.refuted(second.id, "M1 has \0 another row");
    const listed = await snapshots.list(projection);
    expect(listed.map(({ id }) => id)).toEqual([second.id, first.id]);
    expect(at(listed, 0).audit).toEqual({ atMs: expect.any(Number), from: first.id });
    expect(at(listed, 0).refuted).toMatch(/^M1 has . another row$/);
    expect(at(listed, 1).audit).toEqual({ atMs: expect.any(Number), from: "beginning" });
    expect(at(listed, 1).refuted).toBeUndefined();
  });

  test("a removed snapshot is gone, and what isn't there is said so", async () => {
    const { snapshots } = subject();
    const { live, projection } = await twoGenerations(subject());
    const { id } = await snapshots.take(live);
    await snapshots.remove(id);
    await snapshots.remove(id);
    expect(await snapshots.list(projection)).toEqual([]);
    const unknown = { code: "snapshot-unknown" };
    await expect(snapshots.row(id, "M1")).rejects.toMatchObject(unknown);
    await expect(allRows(subject(), id)).rejects.toMatchObject(unknown);
    await expect(snapshots.audited(id, "beginning")).rejects.toMatchObject(unknown);
    await expect(snapshots.refuted(id, "why")).rejects.toMatchObject(unknown);
    const nothing = snapshots.take({ projection, generation: 9 });
    await expect(nothing).rejects.toMatchObject({ code: "generation-unknown" });
  });
}
