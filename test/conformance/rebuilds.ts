import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { FencedError } from "../../engine/errors.ts";
import { offset } from "../../engine/position.ts";
import type { RebuildPlan, RebuildRequest } from "../../engine/ports/rebuilds.ts";
import type { GenerationsSubject } from "./generations-subject.ts";
import { laneAt, readModel, topic } from "./store-samples.ts";

export function rebuildsConformance(
  adapter: string,
  make: () => Promise<GenerationsSubject>,
): void {
  describe(`rebuilds, ${adapter}`, () => {
    let subject: GenerationsSubject;
    beforeAll(async () => {
      subject = await make();
    });
    afterAll(() => subject[Symbol.asyncDispose]());
    starting(() => subject);
    wishing(() => subject);
    conducting(() => subject);
  });
}

async function request({ store }: GenerationsSubject): Promise<RebuildRequest> {
  const model = readModel();
  await store.open(model);
  return {
    projection: model.projection,
    version: 1,
    from: { kind: "positions", offsets: [{ topic, partition: 0, offset: 2n ** 60n }] },
    accept: false,
    lagBudgetMs: 2_000,
    keepMs: 86_400_000,
    by: "the operator \0",
    reason: undefined,
  };
}

async function started(subject: GenerationsSubject) {
  const asked = await request(subject);
  const start = await subject.rebuilds.start(asked);
  if (start.outcome !== "started") throw new Error(start.outcome);
  return { asked, record: start.record, id: start.record.id };
}

const plan: RebuildPlan = {
  start: { kind: "snapshot", snapshot: 3n, takenAtMs: 1_700_000_000_000 },
  partitions: [
    {
      topic,
      partition: 0,
      from: 2n ** 55n,
      end: 2n ** 56n,
      start: 0n,
      taken: 0n,
      events: 12,
      bytes: 99.5,
    },
  ],
  events: 12,
  bytes: 99.5,
  seconds: 0.25,
  schemas: ["Event 1"],
  warnings: ["odd: \0 \uD800"],
};

function starting(subject: () => GenerationsSubject): void {
  test("a rebuild is written down as it was asked for, and found again", async () => {
    const { rebuilds } = subject();
    const { asked, record, id } = await started(subject());
    expect(record).toMatchObject({ state: "planned", wish: "run", base: 1 });
    expect(record.request).toEqual(asked);
    expect(record.conductor).toBeUndefined();
    expect(await rebuilds.find(id)).toEqual(record);
    expect(await rebuilds.find(987_654n)).toBeUndefined();
  });

  test("of those who start one at once, one does, and the others get it", async () => {
    const { rebuilds } = subject();
    const asked = await request(subject());
    const starts = await Promise.all([1, 2, 3].map(() => rebuilds.start(asked)));
    expect(starts.map(({ outcome }) => outcome).sort()).toEqual(["open", "open", "started"]);
    const ids = starts.map((one) => (one.outcome === "never-built" ? 0n : one.record.id));
    expect(new Set(ids).size).toBe(1);
  });

  test("a projection that was never built has nothing to rebuild", async () => {
    const { rebuilds } = subject();
    const asked = { ...(await request(subject())), projection: "never built" };
    expect(await rebuilds.start(asked)).toEqual({ outcome: "never-built" });
  });

  test("rebuilds are listed newest first, by projection and state", async () => {
    const { rebuilds } = subject();
    const { asked, id } = await started(subject());
    const { projection } = asked;
    await rebuilds.lead(id, "one", 60_000);
    await rebuilds.change(id, "one", { state: "abandoned" });
    const again = await rebuilds.start(asked);
    const listed = await rebuilds.list({ projection, limit: 10 });
    expect(listed.map(({ state }) => state)).toEqual(["planned", "abandoned"]);
    expect(listed[0]?.id).toBe(again.outcome === "started" && again.record.id);
    const over = await rebuilds.list({ projection, states: ["abandoned", "failed"], limit: 10 });
    expect(over.map((one) => one.id)).toEqual([id]);
    expect(await rebuilds.list({ projection, limit: 1 })).toHaveLength(1);
    expect(await rebuilds.list({ projection, states: [], limit: 1 })).toEqual([]);
  });
}

function wishing(subject: () => GenerationsSubject): void {
  test("wishes are written down with who asked, and acceptance may come later", async () => {
    const { rebuilds } = subject();
    const { id } = await started(subject());
    expect(await rebuilds.wish(id, "pause", { by: "ann", reason: "load" })).toBe(true);
    expect(await rebuilds.find(id)).toMatchObject({
      wish: "pause",
      asked: { wish: "pause", by: "ann", reason: "load" },
      request: { accept: false },
    });
    expect(await rebuilds.wish(id, "run", { accept: true })).toBe(true);
    expect(await rebuilds.find(id)).toMatchObject({
      wish: "run",
      asked: { by: "ann" },
      request: { accept: true },
    });
    expect(await rebuilds.wish(987_654n, "pause")).toBe(false);
  });

  test("what is to be abandoned isn't resumed, and only what was swapped in is undone", async () => {
    const { rebuilds } = subject();
    const { id } = await started(subject());
    expect(await rebuilds.wish(id, "undo")).toBe(false);
    expect(await rebuilds.wish(id, "abandon")).toBe(true);
    expect(await rebuilds.wish(id, "run")).toBe(false);
    expect(await rebuilds.wish(id, "abandon")).toBe(true);
    const other = await started(subject());
    await rebuilds.lead(other.id, "one", 60_000);
    const { createdAtMs } = other.record;
    const until = { state: "swapped", undoUntilMs: createdAtMs + 600_000 } as const;
    await rebuilds.change(other.id, "one", until);
    for (const wish of ["run", "pause", "abandon"] as const) {
      expect(await rebuilds.wish(other.id, wish)).toBe(false);
    }
    expect(await rebuilds.wish(other.id, "undo")).toBe(true);
    await rebuilds.change(other.id, "one", { state: "undone" });
    expect(await rebuilds.wish(other.id, "undo")).toBe(false);
    const late = await started(subject());
    await rebuilds.lead(late.id, "one", 60_000);
    await rebuilds.change(late.id, "one", { state: "swapped", undoUntilMs: createdAtMs - 1 });
    expect(await rebuilds.wish(late.id, "undo")).toBe(false);
  });
}

function conducting(subject: () => GenerationsSubject): void {
  test("one conductor at a time; the next takes a lease that was left, or that ran out", async () => {
    const { rebuilds, pass } = subject();
    const { id } = await started(subject());
    expect((await rebuilds.lead(id, "one", 60_000))?.conductor).toBe("one");
    expect(await rebuilds.lead(id, "two", 60_000)).toBeUndefined();
    expect((await rebuilds.lead(id, "one", 60_000))?.conductor).toBe("one");
    await rebuilds.leave(id, "two");
    await rebuilds.leave(id, "one");
    expect((await rebuilds.find(id))?.conductor).toBeUndefined();
    expect((await rebuilds.lead(id, "two", 40))?.conductor).toBe("two");
    await pass(60);
    expect((await rebuilds.find(id))?.conductor).toBeUndefined();
    expect((await rebuilds.lead(id, "three", 60_000))?.conductor).toBe("three");
    expect(await rebuilds.lead(987_654n, "one", 60_000)).toBeUndefined();
  });

  test("of many who lead at once one does", async () => {
    const { rebuilds } = subject();
    const { id } = await started(subject());
    const led = await Promise.all(
      ["a", "b", "c", "d"].map((name) => rebuilds.lead(id, name, 60_000)),
    );
    expect(led.filter((one) => one !== undefined)).toHaveLength(1);
  });

  test("what a conductor writes is kept as it was, and what it leaves out stays", async () => {
    const { rebuilds } = subject();
    const { id } = await started(subject());
    await rebuilds.lead(id, "one", 60_000);
    const failure = { code: "replay-halted", message: "event 7 \0 can't be folded" };
    await rebuilds.change(id, "one", { state: "filling", shadow: 2, plan, failure });
    const positions = [
      { topic, partition: 0, position: laneAt(7), lastRecordedAtMs: 5 },
      { topic, partition: 1, position: { ...laneAt(8), nextOffset: offset(2n ** 60n) } },
    ];
    const proof = { positions, heldMs: 12.5, fields: [] } as never;
    const record = await rebuilds.change(id, "one", { proof, failure: undefined, accept: true });
    expect(record).toMatchObject({ state: "filling", shadow: 2, plan, proof: { positions } });
    expect(record.failure).toBeUndefined();
    expect(record.request.accept).toBe(true);
    expect(await rebuilds.find(id)).toEqual(record);
  });

  test("a conductor whose lease is another's writes nothing", async () => {
    const { rebuilds, pass } = subject();
    const { id } = await started(subject());
    await rebuilds.lead(id, "one", 40);
    await pass(60);
    // Nobody else has taken it: what it knows is still true.
    await rebuilds.change(id, "one", { state: "filling" });
    await rebuilds.lead(id, "two", 60_000);
    const late = rebuilds.change(id, "one", { state: "failed" });
    await expect(late).rejects.toBeInstanceOf(FencedError);
    expect((await rebuilds.find(id))?.state).toBe("filling");
    await expect(rebuilds.change(987_654n, "one", {})).rejects.toMatchObject({
      code: "rebuild-unknown",
    });
  });

  test("what is over doesn't go on", async () => {
    const { rebuilds } = subject();
    const { id } = await started(subject());
    await rebuilds.lead(id, "one", 60_000);
    await rebuilds.change(id, "one", { state: "failed" });
    const again = rebuilds.change(id, "one", { state: "filling" });
    await expect(again).rejects.toMatchObject({ code: "rebuild-over" });
    await rebuilds.change(id, "one", { failure: { code: "x", message: "y" } });
  });
}
