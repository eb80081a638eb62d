import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { FencedError } from "../../engine/errors.ts";
import type { Swap } from "../../engine/ports/generations.ts";
import { fill, type GenerationsSubject, named, twoGenerations } from "./generations-subject.ts";
import { healConformance, holdConformance, turnConformance } from "./holds.ts";
import { flushOf } from "./read-model-subject.ts";
import { advance, at, laneAt, places, readModel, topic } from "./store-samples.ts";

export function generationsConformance(
  adapter: string,
  make: () => Promise<GenerationsSubject>,
): void {
  describe(`generations, ${adapter}`, () => {
    let subject: GenerationsSubject;
    beforeAll(async () => {
      subject = await make();
    });
    afterAll(() => subject[Symbol.asyncDispose]());
    making(() => subject);
    swapping(() => subject);
    conditions(() => subject);
    removing(() => subject);
    holdConformance(() => subject);
    healConformance(() => subject);
    turnConformance(() => subject);
  });
}

const swapOf = (projection: string, over: Partial<Swap> = {}): Swap => ({
  projection,
  from: 1,
  to: 2,
  condition: "level",
  keepMs: 60_000,
  ...over,
});

function making(subject: () => GenerationsSubject): void {
  test("a new generation is built beside the one that serves, which readers go on seeing", async () => {
    const { store, reader, generations } = subject();
    const { live, shadow, projection, model } = await twoGenerations(subject());
    await fill(store, live, { held: { M1: 1 }, upTo: 1 });
    await fill(store, shadow, { held: { M1: 2 }, upTo: 1 });
    expect((await reader.get(projection, "M1")).result).toMatchObject({ held: 1 });
    expect(shadow).toEqual({ projection, generation: 2, version: 1, serving: false });
    const listed = await generations.list(projection);
    expect(listed).toMatchObject([
      { generation: 1, role: "serving", serving: true, rebuild: undefined },
      { generation: 2, role: "building", serving: false, rebuild: 7n, keptUntilMs: undefined },
    ]);
    expect(listed[1]?.columns).toEqual(model.columns);
    expect((await generations.list()).length).toBeGreaterThanOrEqual(2);
    expect(await generations.list("never built")).toEqual([]);
  });

  test("a cold start begins at its positions, other partitions at the log's start", async () => {
    const { store, generations } = subject();
    const model = readModel();
    await store.open(model);
    const positions = [{ topic, partition: 2, position: laneAt(40), lastRecordedAtMs: 123 }];
    const cold = await generations.create(model, { positions }, 1n);
    const standing = await store.positions(cold);
    expect(standing.map(({ position }) => position)).toEqual([
      undefined,
      undefined,
      laneAt(40),
      undefined,
    ]);
  });

  test("a generation begins with a snapshot's rows, positions and digests", async () => {
    const { store, generations, snapshots, comparisons } = subject();
    const { live, projection, model } = await twoGenerations(subject());
    await fill(store, live, { held: { M1: 1, M2: 2 }, upTo: 5 });
    const { id } = await snapshots.take(live);
    await fill(store, live, { held: { M1: 9 }, upTo: 6 });
    const begun = await generations.create(model, { snapshot: id }, 8n);
    expect(begun).toMatchObject({ projection, generation: 3 });
    expect(await store.load(begun, ["M1", "M2"])).toEqual(
      new Map([
        ["M1", { moduleCode: "M1", held: 1 }],
        ["M2", { moduleCode: "M2", held: 2 }],
      ]),
    );
    expect(at(await store.positions(begun), 0).position).toEqual(laneAt(5));
    await comparisons.within([begun], async ([view]) => {
      expect(view?.digests).toEqual((await snapshots.list(projection))[0]?.digests);
    });
    await fill(store, begun, { held: { M1: 9 }, upTo: 6 });
    expect(await store.digests(begun)).toEqual(await store.digests(live));
  });

  test("a snapshot of another version, a refuted one and one that isn't there are refused", async () => {
    const { generations, snapshots } = subject();
    const { live, model } = await twoGenerations(subject());
    const { id } = await snapshots.take(live);
    const other = generations.create({ ...model, version: 2 }, { snapshot: id }, 1n);
    await expect(other).rejects.toMatchObject({ code: "snapshot-unfit" });
    await snapshots.refuted(id, "M1 differs");
    const refuted = generations.create(model, { snapshot: id }, 1n);
    await expect(refuted).rejects.toThrow(/M1 differs/);
    const gone = generations.create(model, { snapshot: 987_654n }, 1n);
    await expect(gone).rejects.toMatchObject({ code: "snapshot-unknown" });
    // Nothing is left of those that weren't made.
    expect((await generations.list(model.projection)).length).toBe(2);
  });
}

function swapping(subject: () => GenerationsSubject): void {
  test("a swap moves readers over at once, and keeps the generation before", async () => {
    const { store, reader, generations } = subject();
    const { live, shadow, projection } = await twoGenerations(subject());
    await fill(store, live, { held: { M1: 1 }, upTo: 3 });
    await fill(store, shadow, { held: { M1: 2 }, upTo: 3 });
    const verdict = await generations.swap(swapOf(projection));
    if (verdict.outcome !== "swapped") throw new Error(verdict.outcome);
    expect(await reader.get(projection, "M1")).toMatchObject({
      generation: 2,
      result: { held: 2 },
    });
    const [before, after] = await generations.list(projection);
    expect(before).toMatchObject({ role: "kept", serving: false });
    expect(Math.abs((before?.keptUntilMs ?? 0) - verdict.atMs - 60_000)).toBeLessThan(1_000);
    expect(after).toMatchObject({ role: "serving", serving: true, keptUntilMs: undefined });
    // Back again: what was kept serves, and nothing says any more until when.
    await generations.swap(swapOf(projection, { from: 2, to: 1, condition: "reached" }));
    expect((await generations.list(projection)).map(({ role }) => role)).toEqual([
      "serving",
      "kept",
    ]);
    expect((await generations.list(projection))[0]?.keptUntilMs).toBeUndefined();
  });

  test("without time to keep it, the generation before is removed", async () => {
    const { generations } = subject();
    const { projection } = await twoGenerations(subject());
    await generations.swap(swapOf(projection, { keepMs: 0 }));
    expect((await generations.list(projection)).map(({ role }) => role)).toEqual([
      "removing",
      "serving",
    ]);
  });

  test("of swaps from the same generation one is done, and the others are told what serves", async () => {
    const { generations } = subject();
    const { model, projection } = await twoGenerations(subject());
    await generations.create(model, {}, 8n);
    const verdicts = await Promise.all(
      [2, 3, 2, 3].map((to) => generations.swap(swapOf(projection, { to }))),
    );
    expect(verdicts.map(({ outcome }) => outcome).sort()).toEqual([
      "moved",
      "moved",
      "moved",
      "swapped",
    ]);
    const [serving] = (await generations.list(projection)).filter(({ role }) => role === "serving");
    for (const verdict of verdicts) {
      if (verdict.outcome === "moved") expect(verdict.serving).toBe(serving?.generation);
    }
  });

  test("what is removed, unknown or serves already can't be swapped in", async () => {
    const { generations } = subject();
    const { projection, shadow } = await twoGenerations(subject());
    for (const to of [1, 9]) {
      expect(await generations.swap(swapOf(projection, { to }))).toEqual({
        outcome: "moved",
        serving: 1,
      });
    }
    await generations.retire(shadow);
    expect(await generations.swap(swapOf(projection))).toMatchObject({ outcome: "moved" });
    await expect(generations.swap(swapOf("never built"))).rejects.toMatchObject({
      code: "no-generation",
    });
  });
}

function conditions(subject: () => GenerationsSubject): void {
  test.each([
    ["equal", 3, { outcome: "differs", buckets: [expect.any(Number)] }],
    ["level", 3, { outcome: "swapped" }],
    ["level", 2, { outcome: "apart", partitions: [`${topic}/0`] }],
    ["level", 4, { outcome: "apart", partitions: [`${topic}/0`] }],
    ["reached", 2, { outcome: "apart", partitions: [`${topic}/0`] }],
    ["reached", 4, { outcome: "swapped" }],
  ] as const)("%s, with the shadow at %i of 3 and another row: %o", async (condition, upTo, is) => {
    const { store, generations } = subject();
    const { live, shadow, projection } = await twoGenerations(subject());
    await fill(store, live, { held: { M1: 1, M2: 2 }, upTo: 3 });
    await fill(store, shadow, { held: { M1: 1, M2: 3 }, upTo });
    expect(await generations.swap(swapOf(projection, { condition }))).toMatchObject(is);
    const serving = is.outcome === "swapped" ? 2 : 1;
    const [serves] = (await generations.list(projection)).filter((one) => one.serving);
    expect(serves?.generation).toBe(serving);
  });

  test("equal generations are swapped as such", async () => {
    const { store, generations } = subject();
    const { live, shadow, projection } = await twoGenerations(subject());
    for (const one of [live, shadow]) await fill(store, one, { held: { M1: 1, M2: 2 }, upTo: 3 });
    const verdict = await generations.swap(swapOf(projection, { condition: "equal" }));
    expect(verdict.outcome).toBe("swapped");
  });

  test("versions are level where the topics that both read are", async () => {
    const { store, generations } = subject();
    const { model, live, projection } = await twoGenerations(subject());
    const topics = [...model.topics, { name: "more-events", partitions: 2 }];
    const wider = await generations.create({ ...model, version: 2, topics }, {}, 8n);
    for (const one of [live, wider]) await fill(store, one, { held: { M1: 1 }, upTo: 3 });
    const [more] = await store.claim(wider, [{ topic: "more-events", partition: 1 }]);
    if (more === undefined) throw new Error("Nothing was claimed.");
    await store.flush(flushOf(wider, { advances: [advance(more, laneAt(9))] }));
    const equal = await generations.swap(swapOf(projection, { to: 3, condition: "equal" }));
    expect(equal).toEqual({ outcome: "apart", partitions: ["more-events/1"] });
    const level = await generations.swap(swapOf(projection, { to: 3 }));
    expect(level.outcome).toBe("swapped");
  });
}

function removing(subject: () => GenerationsSubject): void {
  test("what serves can't be retired, what is used can't be removed", async () => {
    const { generations } = subject();
    const { live, shadow } = await twoGenerations(subject());
    await expect(generations.retire(live)).rejects.toMatchObject({ code: "generation-serves" });
    await expect(generations.remove(live, 10)).rejects.toMatchObject({ code: "generation-serves" });
    await expect(generations.remove(shadow, 10)).rejects.toMatchObject({
      code: "generation-in-use",
    });
    const unknown = { ...named(live), generation: 9 };
    const fault = { code: "generation-unknown" };
    await expect(generations.retire(unknown)).rejects.toMatchObject(fault);
    await expect(generations.remove(unknown, 10)).rejects.toMatchObject(fault);
  });

  test("a retired generation goes slice by slice, and whoever works on it is fenced out", async () => {
    const { store, generations } = subject();
    const { shadow, model } = await twoGenerations(subject());
    const held = Object.fromEntries(Array.from({ length: 25 }, (_, at) => [`M${at}`, at]));
    const owned = await fill(store, shadow, { held, upTo: 4 });
    await generations.retire(shadow);
    await generations.retire(shadow);
    expect(await generations.remove(shadow, 10)).toBe("more");
    const late = store.flush(
      flushOf(shadow, { advances: [advance({ ...owned, position: laneAt(4) }, laneAt(5))] }),
    );
    await expect(late).rejects.toBeInstanceOf(FencedError);
    const slices = ["more"];
    while (slices.at(-1) === "more") slices.push(await generations.remove(shadow, 10));
    expect(slices.length).toBeGreaterThanOrEqual(3);
    expect(await generations.remove(shadow, 10)).toBe("gone");
    await generations.retire(shadow);
    expect((await generations.list(model.projection)).map((one) => one.generation)).toEqual([1]);
    const unknown = { code: "generation-unknown" };
    await expect(store.claim(shadow, places(0))).rejects.toMatchObject(unknown);
    await expect(store.load(shadow, ["M1"])).rejects.toMatchObject(unknown);
    await expect(store.positions(shadow)).rejects.toMatchObject(unknown);
    const next = await generations.create(model, {}, 9n);
    expect(next.generation, "a number isn't used again").toBe(3);
  });
}
