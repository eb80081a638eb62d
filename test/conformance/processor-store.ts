import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { integer, text } from "../../engine/columns.ts";
import { FencedError } from "../../engine/errors.ts";
import { globalPosition } from "../../engine/position.ts";
import type { DeadLetters } from "../../engine/ports/dead-letters.ts";
import type { AppendRequest } from "../../engine/ports/event-store.ts";
import type {
  ProcessorFlush,
  ProcessorModel,
  ProcessorStore,
} from "../../engine/ports/processor-store.ts";
import {
  advance,
  at,
  deadLetter,
  everyKind,
  freshName,
  laneAt,
  places,
  topic,
  parkedKeys,
} from "./store-samples.ts";

export interface ProcessorSubject extends AsyncDisposable {
  readonly store: ProcessorStore;
  readonly deadLetters: DeadLetters;
  /** Ids of the events tagged so, in order of position. */
  readonly eventsTagged: (tag: string) => Promise<readonly string[]>;
}

const processorModel = (over: Partial<ProcessorModel> = {}): ProcessorModel => ({
  processor: freshName(),
  state: { status: text(), tries: integer() },
  topics: [{ name: topic, partitions: 4 }],
  ...over,
});

const flushOf = (processor: string, over: Partial<ProcessorFlush> = {}): ProcessorFlush => ({
  processor,
  advances: [],
  states: [],
  appends: [],
  deadLetters: [],
  ...over,
});

/** An event for the tag; refused when another event of the tag is there. */
function firstOf(tag: string): AppendRequest & { readonly id: string } {
  const id = randomUUID();
  const event = {
    id,
    type: "refold.test.Happened",
    topic,
    partition: 0,
    key: tag,
    value: Buffer.from([0, 0, 0, 0, 1, 2]),
    tags: [tag],
    correlationId: id,
  };
  return { id, events: [event], condition: [{ tags: [tag], after: globalPosition(0) }] };
}

export function processorStoreConformance(
  adapter: string,
  make: () => Promise<ProcessorSubject>,
): void {
  describe(`processor store, ${adapter}`, () => {
    let subject: ProcessorSubject;
    beforeAll(async () => {
      subject = await make();
    });
    afterAll(() => subject[Symbol.asyncDispose]());
    keeping(() => subject);
    appending(() => subject);
    fencing(() => subject);
  });
}

function keeping(subject: () => ProcessorSubject): void {
  test("a flush keeps states, letters and positions together", async () => {
    const { store, deadLetters } = subject();
    const model = processorModel();
    const { processor } = model;
    await store.open(model);
    const owned = await store.claim(processor, places(1, 0));
    expect(owned.map(({ partition }) => partition)).toEqual([1, 0]);
    const result = await store.flush(
      flushOf(processor, {
        advances: owned.map((of) => advance(of, laneAt(of.partition + 1))),
        states: [
          { key: "p1", partition: 0, state: { status: "paid", tries: 1 } },
          { key: "p2", partition: 1, state: { status: "open", tries: 0 } },
        ],
        deadLetters: [deadLetter(processor)],
      }),
    );
    expect(result).toEqual({ outcome: "committed", verdicts: [] });
    expect(await store.load(processor, ["p2", "p3", "p1"])).toEqual(
      new Map([
        ["p1", { status: "paid", tries: 1 }],
        ["p2", { status: "open", tries: 0 }],
      ]),
    );
    expect(await parkedKeys(deadLetters, processor)).toEqual(new Set(["M1"]));
    const positions = await store.positions(processor);
    expect(positions.map(({ position }) => position)).toEqual([
      laneAt(1),
      laneAt(2),
      undefined,
      undefined,
    ]);
  });

  test("a state is replaced and deleted", async () => {
    const { store } = subject();
    const model = processorModel();
    await store.open(model);
    const put = (status: string | undefined) => {
      const state = status === undefined ? undefined : { status, tries: 0 };
      const states = [{ key: "p1", partition: 0, state }];
      return store.flush(flushOf(model.processor, { states }));
    };
    await put("open");
    await put("paid");
    expect((await store.load(model.processor, ["p1"])).get("p1")?.["status"]).toBe("paid");
    await put(undefined);
    expect((await store.load(model.processor, ["p1"])).size).toBe(0);
  });

  test("a processor without state keeps its positions", async () => {
    const { store } = subject();
    const model = processorModel({ state: undefined });
    await store.open(model);
    const owned = at(await store.claim(model.processor, places(3)), 0);
    await store.flush(flushOf(model.processor, { advances: [advance(owned, laneAt(8))] }));
    expect(at(await store.positions(model.processor), 3).position).toEqual(laneAt(8));
    expect((await store.load(model.processor, ["p1"])).size).toBe(0);
  });

  test("opening again keeps the states; another shape is refused with the difference", async () => {
    const { store } = subject();
    const model = processorModel();
    await Promise.all([store.open(model), store.open(model)]);
    const states = [{ key: "p1", partition: 0, state: { status: "open", tries: 0 } }];
    await store.flush(flushOf(model.processor, { states }));
    await store.open(model);
    expect((await store.load(model.processor, ["p1"])).size).toBe(1);
    const other = store.open({ ...model, state: everyKind });
    await expect(other).rejects.toMatchObject({ code: "columns-differ" });
  });

  test("a processor that isn't open is refused by name", async () => {
    const loading = subject().store.load("never-opened", ["k"]);
    await expect(loading).rejects.toMatchObject({ code: "processor-unknown" });
  });

  test("a state that doesn't fit its columns writes nothing", async () => {
    const { store } = subject();
    const model = processorModel();
    await store.open(model);
    const owned = at(await store.claim(model.processor, places(0)), 0);
    const flushing = store.flush(
      flushOf(model.processor, {
        advances: [advance(owned, laneAt(1))],
        states: [{ key: "p1", partition: 0, state: { status: "open", tries: 0.5 } }],
      }),
    );
    await expect(flushing).rejects.toMatchObject({ code: "row-unfit" });
    expect(at(await store.positions(model.processor), 0).position).toBeUndefined();
  });
}

function appending(subject: () => ProcessorSubject): void {
  test("events are appended in order with the state and the position", async () => {
    const { store, eventsTagged } = subject();
    const model = processorModel();
    await store.open(model);
    const owned = at(await store.claim(model.processor, places(0)), 0);
    const tag = `payment:${randomUUID()}`;
    const [first, second] = [firstOf(tag), firstOf(tag)];
    const result = await store.flush(
      flushOf(model.processor, {
        advances: [advance(owned, laneAt(1))],
        appends: [first, { ...second, condition: [] }],
      }),
    );
    expect(result.outcome).toBe("committed");
    expect(result.verdicts.map(({ outcome }) => outcome)).toEqual(["appended", "appended"]);
    expect(await eventsTagged(tag)).toEqual([first.id, second.id]);
  });

  test("one conflict among several appends writes nothing at all", async () => {
    const { store, eventsTagged, deadLetters } = subject();
    const model = processorModel();
    await store.open(model);
    const owned = at(await store.claim(model.processor, places(0)), 0);
    const [taken, free] = [`payment:${randomUUID()}`, `payment:${randomUUID()}`];
    const before = firstOf(taken);
    await store.flush(flushOf(model.processor, { appends: [before] }));
    const flush = flushOf(model.processor, {
      advances: [advance(owned, laneAt(1))],
      states: [{ key: "p1", partition: 0, state: { status: "paid", tries: 1 } }],
      appends: [firstOf(free), firstOf(taken)],
      deadLetters: [deadLetter(model.processor)],
    });
    const result = await store.flush(flush);
    expect(result.outcome).toBe("conflict");
    expect(at(result.verdicts, 1)).toMatchObject({
      outcome: "conflict",
      newer: [{ id: before.id }],
    });
    expect(await eventsTagged(free)).toEqual([]);
    expect(await eventsTagged(taken)).toEqual([before.id]);
    expect((await store.load(model.processor, ["p1"])).size).toBe(0);
    expect((await parkedKeys(deadLetters, model.processor)).size).toBe(0);
    const decided = await store.flush({ ...flush, appends: [at(flush.appends, 0)] });
    expect(decided.outcome).toBe("committed");
    expect(at(await store.positions(model.processor), 0).position).toEqual(laneAt(1));
  });
}

function fencing(subject: () => ProcessorSubject): void {
  test("a fenced flush appends nothing", async () => {
    const { store, eventsTagged } = subject();
    const model = processorModel();
    await store.open(model);
    const owned = await store.claim(model.processor, places(0, 1, 2));
    await store.claim(model.processor, places(2));
    const tag = `payment:${randomUUID()}`;
    const flushing = store.flush(
      flushOf(model.processor, {
        advances: owned.map((of) => advance(of, laneAt(1))),
        states: [{ key: "p1", partition: 0, state: { status: "paid", tries: 1 } }],
        appends: [firstOf(tag)],
      }),
    );
    await expect(flushing).rejects.toBeInstanceOf(FencedError);
    await expect(flushing).rejects.toMatchObject({ partitions: [2] });
    expect(await eventsTagged(tag)).toEqual([]);
    expect((await store.load(model.processor, ["p1"])).size).toBe(0);
  });

  test("two writers of the same step append its events once", async () => {
    const { store, eventsTagged } = subject();
    const model = processorModel();
    await store.open(model);
    const owned = at(await store.claim(model.processor, places(0)), 0);
    const tag = `payment:${randomUUID()}`;
    const flush = (): Promise<unknown> =>
      store.flush(
        flushOf(model.processor, {
          advances: [advance(owned, laneAt(1))],
          appends: [{ ...firstOf(tag), condition: [] }],
        }),
      );
    const results = await Promise.allSettled([flush(), flush(), flush()]);
    expect(results.filter(({ status }) => status === "fulfilled").length).toBe(1);
    expect((await eventsTagged(tag)).length).toBe(1);
  });
}
