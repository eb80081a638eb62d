import { expect, test } from "vitest";

import { FencedError } from "../../engine/errors.ts";
import { claimTwo, flushOf, type ReadModelSubject } from "./read-model-subject.ts";
import {
  advance,
  at,
  deadLetter,
  laneAt,
  offsetAt,
  places,
  readModel,
  parkedKeys,
} from "./store-samples.ts";

export function fencingConformance(subject: () => ReadModelSubject): void {
  test("a claim raises the epoch and fences the owner before out", async () => {
    const { store } = subject();
    const generation = await store.open(readModel());
    const [before] = await claimTwo(store, generation);
    const [after] = await claimTwo(store, generation);
    expect(after.epoch).toBeGreaterThan(before.epoch);
    const late = store.flush(flushOf(generation, { advances: [advance(before, laneAt(1))] }));
    await expect(late).rejects.toBeInstanceOf(FencedError);
    await store.flush(flushOf(generation, { advances: [advance(after, laneAt(1))] }));
  });

  test("one lost partition of several writes nothing, and only it is named", async () => {
    const { store, deadLetters } = subject();
    const model = readModel();
    const generation = await store.open(model);
    const owned = await store.claim(generation, places(0, 1, 2));
    await store.claim(generation, places(1));
    const flushing = store.flush(
      flushOf(generation, {
        advances: owned.map((of) => advance(of, laneAt(1))),
        rows: [{ key: "M1", partition: 0, row: { moduleCode: "M1", held: 1 } }],
        digests: [{ bucket: 0, hash: 1n, rows: 1 }],
        deadLetters: [deadLetter(model.projection)],
      }),
    );
    await expect(flushing).rejects.toMatchObject({ code: "fenced", partitions: [1] });
    expect((await store.load(generation, ["M1"])).size).toBe(0);
    expect((await store.digests(generation)).size).toBe(0);
    if (deadLetters) expect((await parkedKeys(deadLetters, model.projection)).size).toBe(0);
    const positions = await store.positions(generation);
    expect(positions.every(({ position }) => position === undefined)).toBe(true);
  });

  test.each([
    ["behind the stored one", laneAt(2)],
    ["ahead of the stored one", laneAt(4)],
    ["nothing", undefined],
    ["of another log", { ...laneAt(3), logId: "log-2" }],
    ["of another kind", offsetAt(3)],
    ["of another incarnation", otherIncarnation(laneAt(3))],
  ])("a flush from a position %s is fenced", async (_, from) => {
    const { store } = subject();
    const generation = await store.open(readModel());
    const [owned] = await claimTwo(store, generation);
    await store.flush(flushOf(generation, { advances: [advance(owned, laneAt(3))] }));
    const flushing = store.flush(
      flushOf(generation, { advances: [advance({ ...owned, position: from }, laneAt(9))] }),
    );
    await expect(flushing).rejects.toMatchObject({ code: "fenced", partitions: [0] });
    expect(at(await store.positions(generation), 0).position).toEqual(laneAt(3));
  });

  test("the same flush given twice is applied once", async () => {
    const { store } = subject();
    const generation = await store.open(readModel());
    const [owned] = await claimTwo(store, generation);
    const flush = flushOf(generation, {
      advances: [advance(owned, laneAt(1))],
      digests: [{ bucket: 0, hash: 5n, rows: 1 }],
    });
    const results = await Promise.allSettled([store.flush(flush), store.flush(flush)]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect((await store.digests(generation)).get(0)).toEqual({ hash: 5n, rows: 1 });
  });

  test("a partition that the read model doesn't have is refused by name", async () => {
    const { store } = subject();
    const generation = await store.open(readModel());
    const [owned] = await claimTwo(store, generation);
    const claiming = store.claim(generation, places(0, 17));
    await expect(claiming).rejects.toMatchObject({ code: "partition-unknown" });
    await expect(claiming).rejects.toThrow(/seat-events\/17/);
    // Nothing was raised: who owned it before still does.
    await store.flush(flushOf(generation, { advances: [advance(owned, laneAt(1))] }));
  });
}

function otherIncarnation(position: ReturnType<typeof laneAt>) {
  return { ...position, source: { ...position.source, incarnation: "store-2" } };
}
