import { describe, expect, test } from "vitest";

import { FencedError, FatalError, TransientError } from "../../engine/errors.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { offset } from "../../engine/position.ts";
import type { NewEvent } from "../../engine/ports/event-store.ts";
import type { Generation } from "../../engine/ports/read-model-store.ts";
import type { Fetch, RecordLog } from "../../engine/ports/record-log.ts";
import type { AnyProjection, ErasedEventProjection } from "../../engine/projection.ts";
import type { Cuts } from "../../engine/replay/cuts.ts";
import { Replay, type ReplayOptions } from "../../engine/replay/replay.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { foldAll, type GivenEvent, happened } from "../../engine/testing/given.ts";
import { Journal } from "../../engine/testing/journal.ts";
import {
  board,
  changes,
  Closed,
  counters,
  history,
  Moved,
  notes,
  Opened,
  tally,
  withNotes,
} from "../engine/seats.ts";
import { FastClock } from "./fast-clock.ts";

const numbers = Array.from({ length: 120 }, (_, at) => (at * 7919) % 1009);
const { signal } = new AbortController();

interface Stage {
  readonly log: MemoryRecordLog;
  readonly codec: JsonCodec;
  readonly journal: Journal;
  readonly store: MemoryReadModelStore;
  readonly notices: NewEvent[];
  readonly generation: Generation;
  readonly begin: (options?: Partial<ReplayOptions>) => Promise<Replay>;
  readonly rows: () => Promise<Map<string, unknown>>;
}

async function stage(projection: AnyProjection, events: readonly GivenEvent[]): Promise<Stage> {
  const log = new MemoryRecordLog();
  const codec = new JsonCodec();
  const journal = new Journal({ log, codec });
  for (const topic of [counters, notes, changes]) await journal.open(topic);
  const appendedTogether = 30;
  for (let at = 0; at < events.length; at += appendedTogether) {
    const some = events.slice(at, at + appendedTogether);
    for (const topic of [counters, notes]) {
      const own = some.filter(({ type }) => topic.events.some(({ name }) => name === type.name));
      await journal.append(topic, own);
    }
  }
  const notices: NewEvent[] = [];
  const store = new MemoryReadModelStore({ onNotices: (told) => void notices.push(...told) });
  const generation = await store.open(readModelOf(projection));
  const shared = { log, codec, store, generation, projection, consumer: "replay" };
  return {
    ...shared,
    journal,
    notices,
    begin: (options = {}) =>
      Replay.begin({ ...shared, clock: new FastClock(), random: new SeededRandom(), ...options }),
    rows: async () => {
      const rows = new Map<string, unknown>();
      for await (const page of store.scan(generation)) {
        for (const { key, row } of page) rows.set(key, row);
      }
      return rows;
    },
  };
}

async function ends(log: Pick<RecordLog, "bounds">, topics: readonly string[]): Promise<Cuts> {
  const cuts = new Map<string, ReturnType<typeof offset>>();
  for (const topic of topics) {
    for (const { partition, end } of await log.bounds(topic))
      cuts.set(`${topic}/${partition}`, end);
  }
  return cuts;
}

/** The first `cuts` records of each partition of `counters`, folded by hand. */
function prefix(events: readonly GivenEvent[], journal: Journal, cuts: Cuts): GivenEvent[] {
  const seen = new Map<number, number>();
  return events.filter((event) => {
    const partition = journal.encode(counters, [event])[0]?.partition ?? 0;
    const at = seen.get(partition) ?? 0;
    seen.set(partition, at + 1);
    return at < Number(cuts.get(`counters/${partition}`) ?? 0);
  });
}

describe("a replay", () => {
  test("folds everything up to the ends, and tells nobody", async () => {
    const events = withNotes(history(numbers));
    const { begin, log, rows, notices } = await stage(tally, events);
    await using replay = await begin();
    await replay.to(await ends(log, ["counters", "notes"]), { signal });
    expect(await rows()).toEqual(foldAll(tally, events));
    expect(replay.positions()).toEqual(await ends(log, ["counters", "notes"]));
    expect(replay.records).toBe(events.length);
    expect(notices).toEqual([]);
  });

  test("ends exactly at offsets inside of batches, and goes on from there", async () => {
    const events = history(numbers);
    const { begin, log, rows, journal, store, generation } = await stage(board, events);
    await using replay = await begin();
    const all = await ends(log, ["counters"]);
    for (let step = 0; step <= 10; step += 1) {
      const cuts = new Map(
        [...all].map(([name, end]) => [name, offset(((Number(end) * step) / 10) | 0)]),
      );
      await replay.to(cuts, { signal });
      expect(await rows()).toEqual(foldAll(board, prefix(events, journal, cuts)));
      for (const { topic, partition, position } of await store.positions(generation)) {
        expect(position?.nextOffset ?? 0n).toBe(cuts.get(`${topic}/${partition}`));
      }
    }
  });

  test("never goes back, and leaves alone what isn't named", async () => {
    const { begin, log } = await stage(board, history(numbers));
    await using replay = await begin();
    const all = await ends(log, ["counters"]);
    await replay.to(new Map([["counters/0", all.get("counters/0") ?? offset(0)]]), { signal });
    await replay.to(new Map([["counters/0", offset(1)]]), { signal });
    const stands = replay.positions();
    expect(stands.get("counters/0")).toBe(all.get("counters/0"));
    expect(stands.get("counters/1")).toBe(0n);
  });

  test("has nothing to do where there are no events", async () => {
    const { begin, rows, log } = await stage(board, []);
    await using replay = await begin();
    await replay.to(await ends(log, ["counters"]), { signal });
    expect(await rows()).toEqual(new Map());
  });

  test("ends with nothing lost when its signal aborts", async () => {
    const events = history(numbers);
    const { begin, log, rows } = await stage(board, events);
    const stop = new AbortController();
    let fetches = 0;
    const pace = async () => {
      fetches += 1;
      if (fetches === 3) stop.abort();
    };
    const all = await ends(log, ["counters"]);
    await using replay = await begin({ fetchBytesMax: 400 });
    await replay.to(all, { signal: stop.signal, pace });
    const stands = replay.positions();
    expect([...stands].some(([name, at]) => at < (all.get(name) ?? 0n))).toBe(true);
    await replay.to(all, { signal });
    expect(await rows()).toEqual(foldAll(board, events));
  });

  test("passes over records that operators have discarded", async () => {
    const events = [
      happened(Opened, { code: "a", size: 1 }),
      happened(Moved, { code: "a", by: 5 }),
      happened(Moved, { code: "a", by: 1 }),
    ];
    const { begin, log, journal, rows } = await stage(board, events);
    const partition = journal.encode(counters, [happened(Closed, { code: "a" })])[0]?.partition;
    const discarded = new Map([[`counters/${partition}`, new Set([1])]]);
    await using replay = await begin({ discarded });
    await replay.to(await ends(log, ["counters"]), { signal });
    expect(await rows()).toEqual(foldAll(board, [events[0], events[2]] as GivenEvent[]));
    expect(replay.positions()).toEqual(await ends(log, ["counters"]));
  });
});

describe("a replay that can't go on", () => {
  const throwing: ErasedEventProjection = {
    ...(board as ErasedEventProjection),
    onRecordError: "park",
    on: {
      ...(board as ErasedEventProjection).on,
      Closed: () => {
        throw new Error("never closed before");
      },
    },
  };

  test("names the record that it stops at, and has everything before it", async () => {
    const events = [
      happened(Opened, { code: "a", size: 1 }),
      happened(Closed, { code: "a" }),
      happened(Opened, { code: "a", size: 2 }),
    ];
    const { begin, log, rows, store, generation } = await stage(throwing, events);
    await using replay = await begin();
    const ended = replay.to(await ends(log, ["counters"]), { signal });
    await expect(ended).rejects.toThrow(FatalError);
    await expect(ended).rejects.toThrow(/counters\/\d.*never closed before/s);
    expect([...(await rows()).keys()]).toEqual([]);
    for (const { position } of await store.positions(generation)) expect(position).toBeUndefined();
  });

  test("is fenced out by a later one, which loses nothing", async () => {
    const events = history(numbers);
    const { begin, log, rows } = await stage(board, events);
    const all = await ends(log, ["counters"]);
    await using first = await begin({ fetchBytesMax: 300 });
    await using second = await begin({ fetchBytesMax: 300 });
    await expect(first.to(all, { signal })).rejects.toThrow(FencedError);
    await second.to(all, { signal });
    expect(await rows()).toEqual(foldAll(board, events));
  });

  test("has lost a flush in between: it says so, and a new one goes on", async () => {
    const events = history(numbers);
    const { begin, log, rows, store } = await stage(board, events);
    let flushes = 0;
    const failing = Object.assign(Object.create(store) as MemoryReadModelStore, {
      claim: store.claim.bind(store),
      load: store.load.bind(store),
      flush: async (flush: Parameters<MemoryReadModelStore["flush"]>[0]) => {
        flushes += 1;
        if (flushes === 2) throw new TransientError("connection", "The store is away.");
        return store.flush(flush);
      },
    });
    const all = await ends(log, ["counters"]);
    const limits = {
      batchRecordsMax: 10,
      backoff: { initialMs: 1, maxMs: 1, attemptsMax: 1 },
    };
    await using first = await begin({ store: failing, limits });
    await expect(first.to(all, { signal })).rejects.toThrow(TransientError);
    await using second = await begin();
    await second.to(all, { signal });
    expect(await rows()).toEqual(foldAll(board, events));
  });

  test("refuses a log whose records retention has taken", async () => {
    const { begin, log } = await stage(board, history(numbers));
    const all = await ends(log, ["counters"]);
    {
      await using replay = await begin();
      await replay.to(new Map([...all.keys()].map((name) => [name, offset(2)])), { signal });
    }
    await log.deleteBefore("counters", new Map([[0, offset(5)]]));
    await expect(begin()).rejects.toThrow(/out-of-range.*offset 2/s);
  });

  test("stops with what retention takes from under it", async () => {
    const { begin, log } = await stage(board, history(numbers));
    const all = await ends(log, ["counters"]);
    const pace = () =>
      log.deleteBefore("counters", new Map([...Array(4).keys()].map((at) => [at, offset(20)])));
    await using replay = await begin({ fetchBytesMax: 1 });
    await expect(replay.to(all, { signal, pace })).rejects.toMatchObject({ code: "out-of-range" });
  });
});

test("reaches a cut in a gap at the log's end", async () => {
  const events = history(numbers);
  const { begin, log, rows } = await stage(board, events);
  // As after compaction, or with a transaction's control records: the last offsets hold nothing.
  const gap = 3;
  const gapped: Pick<RecordLog, "topics" | "bounds" | "read"> = {
    topics: () => log.topics(),
    bounds: async (topic) =>
      (await log.bounds(topic)).map((one) => ({ ...one, end: offset(one.end + BigInt(gap)) })),
    async *read(options) {
      const bounds = await log.bounds(options.topic);
      for await (const fetch of log.read(options)) {
        const partitions = fetch.partitions.map((one) => {
          const isLast = one.nextOffset === bounds[one.partition]?.end;
          return isLast ? { ...one, nextOffset: offset(one.nextOffset + BigInt(gap)) } : one;
        });
        yield { ...fetch, partitions } satisfies Fetch;
      }
    },
  };
  const all = await ends(gapped, ["counters"]);
  await using replay = await begin({ log: gapped });
  const inside = new Map([...all].map(([name, end]) => [name, offset(end - 1n)]));
  await replay.to(inside, { signal });
  expect(replay.positions()).toEqual(inside);
  expect(await rows()).toEqual(foldAll(board, events));
});
