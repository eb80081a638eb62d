import { describe, expect, onTestFinished, test } from "vitest";

import type {
  AppendRequest,
  AppendVerdict,
  EventStore,
  NewEvent,
  ReadEvents,
  StoredEvent,
} from "../../engine/ports/event-store.ts";
import type { StoreHold } from "../../engine/ports/store-hold.ts";
import { globalPosition } from "../../engine/position.ts";
import { command, event, nothingAfter } from "../event-store/events.ts";

export interface EventStoreSubject {
  readonly store: EventStore;
  readonly hold: StoreHold;
  /** Another process's view of the same hold. */
  readonly otherHold?: StoreHold;
}

/** What every adapter of `EventStore` and `StoreHold` promises. */
export function eventStoreConformance(name: string, make: () => Promise<EventStoreSubject>): void {
  describe(`event store ${name}`, () => {
    appending(make);
    reading(make);
    holding(make);
  });
}

type Make = () => Promise<EventStoreSubject>;

export async function all(store: EventStore, query: ReadEvents = {}): Promise<StoredEvent[]> {
  const found: StoredEvent[] = [];
  for await (const page of store.read(query, { pageSize: 2 })) found.push(...page);
  return found;
}

const positionsAt = async (store: EventStore, atMs: number): Promise<bigint[]> =>
  (await all(store, { atMs })).map((stored) => stored.position);

const append = (store: EventStore, events: readonly NewEvent[]): Promise<AppendVerdict> =>
  store.append({ events, condition: [] }, command);

function appended(verdict: AppendVerdict): Extract<AppendVerdict, { outcome: "appended" }> {
  if (verdict.outcome !== "appended") expect.fail(`The verdict is ${verdict.outcome}.`);
  return verdict;
}

function appending(make: Make): void {
  test("keeps an event as it was given", async () => {
    const { store } = await make();
    const given = event("A", ['a:"x\\', "b:ü,{}"], {
      causationId: "why",
      traceparent: "00-1-2-01",
    });
    const { events, recordedAtMs } = appended(await append(store, [given]));
    const [stored] = await all(store);
    expect(stored).toEqual({
      ...given,
      ...events[0],
      incarnation: await store.incarnation(),
    });
    expect(stored?.recordedAtMs).toBe(recordedAtMs);
    expect(stored?.position).toBe(1n);
  });

  test("numbers each lane from 1 without gaps, refused appends between", async () => {
    const { store } = await make();
    await append(store, [event("A", ["a"]), event("A", [], { partition: 1 })]);
    await store.append({ events: [event("A", [])], condition: [nothingAfter(0, ["a"])] }, command);
    const last = event("A", []);
    await append(store, [event("A", []), last]);
    const [first, second] = await store.lanes("seats");
    expect(first).toMatchObject({ partition: 0, lastSequence: 3n, lastEventId: last.id });
    expect(second).toMatchObject({ partition: 1, lastSequence: 1n });
    const lane = (await all(store)).filter((stored) => stored.partition === 0);
    expect(lane.map((stored) => stored.sequence)).toEqual([1n, 2n, 3n]);
  });

  test("refuses when something newer matches, and returns just that", async () => {
    const { store } = await make();
    const [old] = appended(await append(store, [event("A", ["a"])])).events;
    const newer = event("A", ["a", "b"]);
    await append(store, [event("B", ["a"]), event("A", ["b"]), newer]);
    const request: AppendRequest = {
      events: [event("A", ["a"])],
      condition: [nothingAfter(old?.position ?? 0, ["a"], ["A"])],
    };
    const verdict = await store.append(request, command);
    expect(verdict).toMatchObject({ outcome: "conflict", cut: false, newer: [{ id: newer.id }] });
    expect(await all(store)).toHaveLength(4);
  });

  test("checks a condition without events", async () => {
    const { store } = await make();
    await append(store, [event("A", ["a"])]);
    const check = (after: number): Promise<AppendVerdict> =>
      store.append({ events: [], condition: [nothingAfter(after, ["a"])] }, command);
    expect((await check(0)).outcome).toBe("conflict");
    expect(appended(await check(1))).toMatchObject({ events: [], duplicate: false });
  });

  test("gives an id that is appended again what it got the first time", async () => {
    const { store } = await make();
    const request = {
      events: [event("A", ["a"]), event("A", ["b"])],
      condition: [nothingAfter(0, ["a"])],
    };
    const repeat = (): Promise<AppendVerdict> => store.append(request, command);
    const racing = await Promise.all([repeat(), repeat(), repeat()]);
    const verdicts = [...racing, await repeat()].map(appended);
    expect(verdicts.filter((verdict) => !verdict.duplicate)).toHaveLength(1);
    for (const verdict of verdicts) expect(verdict.events).toEqual(verdicts[0]?.events);
    expect(await all(store)).toHaveLength(2);
  });

  test("leaves what is recorded as it is in a request that brings more", async () => {
    const { store } = await make();
    const [old, other] = [event("A", ["a"]), event("A", ["b"], { partition: 1 })];
    const [first] = appended(await append(store, [old])).events;
    await append(store, [other]);
    const [before, after] = [event("A", ["c"]), event("A", ["d"], { partition: 1 })];
    const verdict = appended(await append(store, [before, old, after]));
    expect(verdict.duplicate).toBe(false);
    expect(verdict.events[1]).toEqual(first);
    const stored = await all(store);
    expect(stored.map(({ id }) => id)).toEqual([old.id, other.id, before.id, after.id]);
    expect(stored.map((one) => [one.partition, one.sequence])).toEqual([
      [0, 1n],
      [1, 1n],
      [0, 2n],
      [1, 2n],
    ]);
    const told = [verdict.events[0], verdict.events[2]].map((one) => one?.position);
    expect(told).toEqual(stored.slice(2).map(({ position }) => position));
    // Nor do they stand in a later request's way.
    const [own, later] = await Promise.all([
      store.append({ events: [old, event("A", ["e"])], condition: [] }, command),
      store.append(
        { events: [event("B", ["a"])], condition: [nothingAfter(first?.position ?? 0, ["a"])] },
        command,
      ),
    ]);
    expect([own.outcome, later.outcome]).toEqual(["appended", "appended"]);
  });

  test("appends only within the time bounds", async () => {
    const { store } = await make();
    const now = await store.nowMs();
    const minute = 60_000;
    const attempt = (time: AppendRequest["time"] & object): Promise<AppendVerdict> =>
      store.append({ events: [event("A", [])], condition: [], time }, command);
    expect((await attempt({ notBeforeMs: now + minute })).outcome).toBe("out-of-time");
    expect((await attempt({ beforeMs: now - minute })).outcome).toBe("out-of-time");
    expect((await attempt({ beforeMs: now + minute, notBeforeMs: now - minute })).outcome).toBe(
      "appended",
    );
    expect(await all(store)).toHaveLength(1);
  });

  test("decides under the lock on all that is newer", async () => {
    const { store } = await make();
    await append(store, [event("A", ["a"]), event("B", ["b"]), event("A", ["a"])]);
    let seen: readonly StoredEvent[] = [];
    const decided = event("C", ["c"]);
    const verdict = await store.appendLocked(
      [nothingAfter(1, ["a"]), nothingAfter(0, ["b"])],
      (newer) => {
        seen = newer;
        return { events: [decided], condition: [nothingAfter(3, ["a"])] };
      },
      command,
    );
    expect(seen.map((stored) => stored.position)).toEqual([2n, 3n]);
    expect(appended(verdict).events[0]?.position).toBe(4n);
  });

  test("gives every one of many waiting appends its own verdict", async () => {
    const { store } = await make();
    const verdicts = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        store.append(
          {
            events: [event("A", [`seat:${i % 20}`])],
            condition: [nothingAfter(0, [`seat:${i % 20}`])],
          },
          command,
        ),
      ),
    );
    const outcomes = verdicts.map((verdict) => verdict.outcome);
    expect(outcomes.filter((outcome) => outcome === "appended")).toHaveLength(20);
    expect(outcomes.filter((outcome) => outcome === "conflict")).toHaveLength(40);
    expect(await all(store)).toHaveLength(20);
  });
}

function reading(make: Make): void {
  test("reads one business transaction, and one event by its id", async () => {
    const { store } = await make();
    const mine = [
      event("A", ["a"], { correlationId: "rush-7" }),
      event("B", ["b"], { correlationId: "rush-7", partition: 1 }),
      event("A", ["a"], { correlationId: "rush-7" }),
    ];
    const others = [event("A", ["a"]), event("A", ["a"], { correlationId: "rush-70" })];
    for (const one of [...mine, ...others]) await append(store, [one]);
    const ids = async (query: ReadEvents): Promise<string[]> =>
      (await all(store, query)).map(({ id }) => id);
    const [first, second, third] = mine.map(({ id }) => id);
    expect(await ids({ correlationId: "rush-7" })).toEqual([first, second, third]);
    expect(await ids({ correlationId: "rush-7", items: [{ tags: ["a"] }] })).toEqual([
      first,
      third,
    ]);
    expect(await ids({ correlationId: "rush-7", order: "descending", limit: 1 })).toEqual([third]);
    expect(await ids({ correlationId: "nobody" })).toEqual([]);
    expect(await ids({ id: second ?? "" })).toEqual([second]);
    expect(await ids({ id: "nobody" })).toEqual([]);
  });

  test("reads by lane, key, time and range, in both directions", async () => {
    const { store, hold } = await make();
    await hold.acquire("import", 1_000);
    const holder = { as: { holder: "import" } };
    const given = [
      event("A", ["a"], { key: "x" }),
      event("A", ["a"], { partition: 1, key: "y" }),
      event("B", ["b"], { topic: "other", key: "x" }),
      event("B", ["a"], { key: "z" }),
    ];
    for (const [i, one] of given.entries()) {
      await hold.setClock(1_000 + i);
      await store.append({ events: [one], condition: [] }, holder);
    }
    const positions = async (query: ReadEvents): Promise<number[]> =>
      (await all(store, query)).map((stored) => Number(stored.position));
    expect(await positions({ lane: { topic: "seats" } })).toEqual([1, 2, 4]);
    expect(await positions({ lane: { topic: "seats", partition: 0 } })).toEqual([1, 4]);
    expect(await positions({ lane: { topic: "seats", key: "y" } })).toEqual([2]);
    expect(await positions({ atMs: 1_002 })).toEqual([1, 2, 3]);
    expect(await positions({ items: [{ tags: ["a"] }], atMs: 1_001 })).toEqual([1, 2]);
    expect(await positions({ after: globalPosition(1), upTo: globalPosition(3) })).toEqual([2, 3]);
    expect(await positions({ order: "descending", limit: 3 })).toEqual([4, 3, 2]);
    expect(await positions({ items: [{ tags: ["a"] }], order: "descending" })).toEqual([4, 2, 1]);
    expect(await positions({ limit: 0 })).toEqual([]);
    const laterA = { tags: ["a"], after: globalPosition(1) };
    const laterB = { types: ["B"], after: globalPosition(3) };
    expect(await positions({ items: [laterA] })).toEqual([2, 4]);
    expect(await positions({ items: [laterB, { tags: ["b"] }] })).toEqual([3, 4]);
    expect(await positions({ items: [laterA, laterB], after: globalPosition(2) })).toEqual([4]);
    expect(await positions({ items: [laterA, laterB], order: "descending" })).toEqual([4, 2]);
    expect(await positions({ items: [laterA], lane: { topic: "seats", key: "y" } })).toEqual([2]);
  });

  test("a subscription brings what is there and what comes, once", async () => {
    const { store } = await make();
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    await append(store, [event("A", ["a"]), event("B", ["b"])]);
    const seen: bigint[] = [];
    for await (const page of store.subscribe({ items: [{ types: ["A"] }] }, stop.signal)) {
      seen.push(...page.map((stored) => stored.position));
      if (seen.length === 1) await append(store, [event("B", []), event("A", []), event("A", [])]);
      if (seen.length >= 3) break;
    }
    expect(seen).toEqual([1n, 4n, 5n]);
    expect(await store.safePosition()).toBe(5n);
  });
}

function holding(make: Make): void {
  test("while the store is held, commands are refused and the others record the hold's time", async () => {
    const { store, hold } = await make();
    const clockMs = Date.UTC(2013, 8, 15);
    await hold.acquire("import", clockMs);
    expect(await hold.current()).toEqual({ name: "import", clockMs });
    expect(await append(store, [event("A", [])])).toEqual({ outcome: "held", by: "import" });
    for (const as of ["processor", { holder: "import" }] as const) {
      const verdict = await store.append({ events: [event("A", [])], condition: [] }, { as });
      expect(appended(verdict).recordedAtMs).toBe(clockMs);
    }
    const other = { as: { holder: "other" } };
    const refused = await store.append({ events: [event("A", [])], condition: [] }, other);
    expect(refused.outcome).toBe("held");
    await hold.setClock(clockMs - 5);
    expect(await store.nowMs()).toBe(clockMs);
    await hold.release();
    expect(await hold.current()).toBeUndefined();
    expect(appended(await append(store, [event("A", [])])).recordedAtMs).toBeGreaterThan(clockMs);
  });

  test("the holder tells times, which never go back in a lane and move the hold's clock on", async () => {
    const { store, hold } = await make();
    await hold.acquire("import", 1_000);
    const holder = { as: { holder: "import" } };
    const at = (recordedAtMs: number, partition: number): NewEvent =>
      event("A", ["a"], { partition, recordedAtMs });
    const events = [at(2_000, 0), at(3_000, 1), at(2_500, 0), at(2_500, 1), event("A", ["a"])];
    const verdict = appended(await store.append({ events, condition: [] }, holder));
    expect(verdict.events.map((one) => one.recordedAtMs)).toEqual([
      2_000, 3_000, 2_500, 3_000, 2_500,
    ]);
    expect((await all(store)).map((stored) => stored.recordedAtMs)).toEqual([
      2_000, 3_000, 2_500, 3_000, 2_500,
    ]);
    expect(await hold.current()).toEqual({ name: "import", clockMs: 3_000 });
    expect(await positionsAt(store, 2_999)).toEqual([1n, 3n, 5n]);
    const [first, second] = await store.lanes("seats");
    expect(first?.lastRecordedAtMs).toBe(2_500);
    expect(second?.lastRecordedAtMs).toBe(3_000);
  });

  test("times told by others are refused", async () => {
    const { store, hold } = await make();
    await hold.acquire("import", 1_000);
    const timed = { events: [event("A", [], { recordedAtMs: 2_000 })], condition: [] };
    for (const as of ["command", "processor"] as const) {
      await expect(store.append(timed, { as })).rejects.toThrow(/tells its recorded time/);
    }
    expect(await all(store)).toEqual([]);
  });

  test("a refused request moves no clock", async () => {
    const { store, hold } = await make();
    await hold.acquire("import", 1_000);
    const holder = { as: { holder: "import" } };
    await store.append({ events: [event("A", ["a"])], condition: [] }, holder);
    const late = event("A", ["a"], { recordedAtMs: 9_000 });
    const verdict = await store.append(
      { events: [late], condition: [nothingAfter(0, ["a"])] },
      holder,
    );
    expect(verdict.outcome).toBe("conflict");
    expect(await hold.current()).toEqual({ name: "import", clockMs: 1_000 });
  });

  test("a holder whose hold is gone appends nothing", async () => {
    const { store, hold } = await make();
    await hold.acquire("import", 1_000);
    await hold.release();
    const late = store.append(
      { events: [event("A", [])], condition: [] },
      { as: { holder: "import" } },
    );
    await expect(late).rejects.toMatchObject({ code: "hold-lost" });
    expect(await all(store)).toEqual([]);
  });

  test("a hold is taken up under its own name only", async () => {
    const { hold } = await make();
    await hold.acquire("import", 1_000);
    await hold.acquire("import", 2_000);
    await expect(hold.acquire("another", 3_000)).rejects.toMatchObject({ code: "held" });
    expect(await hold.current()).toEqual({ name: "import", clockMs: 2_000 });
  });
}
