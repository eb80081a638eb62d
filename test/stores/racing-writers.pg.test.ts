import { expect, test } from "vitest";

import { PostgresGenerations } from "../../connectors/postgres/generations/index.ts";
import {
  PostgresReadModelReader,
  PostgresReadModelStore,
} from "../../connectors/postgres/read-model-store/index.ts";
import { FencedError } from "../../engine/errors.ts";
import type { NewEvent } from "../../engine/ports/event-store.ts";
import type { Generation } from "../../engine/ports/read-model-store.ts";
import { flushOf } from "../conformance/read-model-subject.ts";
import { advance, at, laneAt, places, readModel } from "../conformance/store-samples.ts";
import { storesDatabase } from "./postgres-stores.ts";

const partitions = [0, 1, 2, 3];

/**
 * Each flush counts a record into the row of every partition that it advances. Writers claim what
 * they like, so that most of them are fenced most of the time.
 */
async function countAlong(
  store: PostgresReadModelStore,
  generation: Generation,
  writer: { readonly rounds: number; readonly step: number },
): Promise<number> {
  let counted = 0;
  for (let round = 0; round < writer.rounds; round += 1) {
    const wanted = partitions.filter((of) => (round * writer.step + of) % 3 !== 0);
    const owned = await store.claim(generation, places(...wanted.toReversed()));
    try {
      for (let flush = 0; flush < 2; flush += 1) {
        await store.flush(oneRecordEach(generation, owned));
        counted += owned.length;
      }
    } catch (error) {
      // The second flush still expects the first one's beginning: it is always fenced.
      if (!(error instanceof FencedError)) throw error;
    }
  }
  return counted;
}

function oneRecordEach(
  generation: Generation,
  owned: Awaited<ReturnType<PostgresReadModelStore["claim"]>>,
) {
  const next = owned.map((of) => Number(of.position?.nextOffset ?? 0) + 1);
  return flushOf(generation, {
    advances: owned.map((of, index) => advance(of, laneAt(at(next, index)))),
    rows: owned.map(({ partition }, index) => ({
      key: `p${partition}`,
      partition,
      row: { moduleCode: `p${partition}`, held: at(next, index) },
    })),
    digests: owned.map(({ partition }) => ({ bucket: partition % 2, hash: 2n ** 62n, rows: 1 })),
  });
}

test("writers that race for the same partitions lose nothing and count nothing twice", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const generation = await new PostgresReadModelStore({ pool }).open(readModel());
  const writers = [1, 2, 3, 4, 5].map((step) =>
    countAlong(new PostgresReadModelStore({ pool }), generation, { rounds: 25, step }),
  );
  const counted = (await Promise.all(writers)).reduce((sum, of) => sum + of, 0);
  const store = new PostgresReadModelStore({ pool });
  const positions = await store.positions(generation);
  const rows = await store.load(
    generation,
    partitions.map((of) => `p${of}`),
  );
  const offsets = positions.map(({ position }) => Number(position?.nextOffset));
  expect(offsets.reduce((sum, of) => sum + of, 0)).toBe(counted);
  expect(partitions.map((of) => rows.get(`p${of}`)?.["held"])).toEqual(offsets);
  const digests = [...(await store.digests(generation)).values()];
  expect(digests.reduce((sum, of) => sum + of.rows, 0)).toBe(counted);
  for (const { hash, rows: count } of digests) {
    expect(hash).toBe(BigInt.asUintN(64, BigInt(count) * 2n ** 62n));
  }
});

/** Of the generations 1 and 2 that one which doesn't serve yet. */
async function swapIn(
  builds: PostgresGenerations,
  { projection, generation: to }: Pick<Generation, "projection" | "generation">,
): Promise<void> {
  const swap = { projection, from: 3 - to, to, condition: "level", keepMs: 60_000 } as const;
  expect(await builds.swap(swap)).toMatchObject({ outcome: "swapped" });
}

test("an answer is of one generation while the pointer moves", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const store = new PostgresReadModelStore({ pool });
  const model = readModel();
  const { projection } = model;
  const builds = new PostgresGenerations({ pool });
  for (const generation of [await store.open(model), await builds.create(model, {}, 1n)]) {
    const owned = at(await store.claim(generation, places(0)), 0);
    const held = generation.generation;
    const rows = ["a", "b", "c"].map((key) => ({
      key,
      partition: 0,
      row: { moduleCode: key, held },
    }));
    // They stand at the same place, and tell by the time whose it is.
    const advances = [advance(owned, laneAt(7), { lastRecordedAtMs: held })];
    await store.flush(flushOf(generation, { advances, rows }));
  }
  const reader = new PostgresReadModelReader({ pool });
  const swapped = new AbortController();
  const swaps = (async () => {
    for (let swap = 0; swap < 60; swap += 1) {
      await swapIn(builds, { projection, generation: 2 - (swap % 2) });
    }
    swapped.abort();
  })();
  const seen = new Set<number>();
  while (!swapped.signal.aborted) {
    const [{ generation, result, positions }, one] = await Promise.all([
      reader.find(model.projection, { limit: 10 }),
      reader.get(model.projection, "b"),
    ]);
    seen.add(generation);
    expect(result.rows.map(({ row }) => row["held"])).toEqual(Array(3).fill(generation));
    expect(positions.map(({ lastRecordedAtMs }) => lastRecordedAtMs)).toEqual([generation]);
    expect(one.result?.["held"]).toBe(one.generation);
  }
  await swaps;
  expect(seen).toEqual(new Set([1, 2]));
});

test("the view of a projection shows the generation that serves", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const store = new PostgresReadModelStore({ pool });
  const model = readModel({ projection: "seats" });
  const first = await store.open(model);
  const rows = [{ key: "M1", partition: 0, row: { moduleCode: "M1", held: 1 } }];
  await store.flush(flushOf(first, { rows }));
  const shown = async () => (await pool.query('select * from read."seats"')).rows;
  expect(await shown()).toEqual([{ key: "M1", partition: 0, module_code: "M1", held: 1 }]);
  const builds = new PostgresGenerations({ pool });
  await swapIn(builds, await builds.create(model, {}, 1n));
  expect(await shown()).toEqual([]);
});

const notice = (id: string): NewEvent => ({
  id,
  type: "refold.test.Changed",
  topic: "updates",
  partition: 0,
  key: "M1",
  value: Buffer.from([0, 0, 0, 0, 1]),
  tags: [],
  correlationId: id,
});

test("notices are written by the generation that serves, and with its flush only", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const store = new PostgresReadModelStore({ pool });
  const model = readModel();
  const first = await store.open(model);
  const builds = new PostgresGenerations({ pool });
  const second = await builds.create(model, {}, 1n);
  const owned = at(await store.claim(first, places(0)), 0);
  const sent = async () =>
    (
      await pool.query<{ ce_id: string }>("select ce_id from refold.notices order by position")
    ).rows.map(({ ce_id }) => ce_id);
  const advances = [advance(owned, laneAt(1))];
  await store.flush(flushOf(first, { advances, notices: [notice("a"), notice("b")] }));
  const shadowed = at(await store.claim(second, places(0)), 0);
  const level = [advance(shadowed, laneAt(1))];
  await store.flush(flushOf(second, { advances: level, notices: [notice("c")] }));
  await expect(store.flush(flushOf(first, { advances, notices: [notice("d")] }))).rejects.toThrow(
    FencedError,
  );
  expect(await sent()).toEqual(["a", "b"]);
  await swapIn(builds, second);
  await store.flush(flushOf(first, { notices: [notice("e")] }));
  await store.flush(flushOf(second, { notices: [notice("f")] }));
  expect(await sent()).toEqual(["a", "b", "f"]);
});
