import type { Pool } from "pg";
import { expect, onTestFinished, test } from "vitest";

import type {
  Generation,
  OwnedPartition,
  ReadModelStore,
} from "../../engine/ports/read-model-store.ts";
import { flushOf } from "../conformance/read-model-subject.ts";
import { advance, at, deadLetter, laneAt, places } from "../conformance/store-samples.ts";
import { openFollowed, rowsOf, serversOfTest, until } from "./followed.ts";

interface Parked {
  readonly generation: Generation;
  /** Where the partition stands. */
  readonly owned: OwnedPartition;
}

/** A row, and a record after it that was set aside. */
async function parked(store: ReadModelStore, generation: Generation): Promise<Parked> {
  const owned = at(await store.claim(generation, places(0)), 0);
  const row = { moduleCode: "M1", held: 1 };
  await store.flush(
    flushOf(generation, {
      advances: [advance(owned, laneAt(8))],
      rows: [{ key: "M1", partition: 0, row }],
      deadLetters: [deadLetter(generation.projection)],
    }),
  );
  return { generation, owned: { ...owned, position: laneAt(8) } };
}

/** Redrives the letter: its row changes, and the position stays. */
async function redrive(store: ReadModelStore, pool: Pool, { generation, owned }: Parked) {
  const found = await pool.query<{ id: bigint }>(
    "select id from refold.dead_letters where consumer = $1",
    [generation.projection],
  );
  const { id } = at(found.rows, 0);
  const settlement = { id, disposition: "redriven", tries: 1, asks: 0 } as const;
  await store.flush(
    flushOf(generation, {
      advances: [advance(owned, laneAt(8), { records: 0, lastRecordedAtMs: undefined })],
      rows: [{ key: "M1", partition: 0, row: { moduleCode: "M1", held: 2 } }],
      settlements: [{ ...settlement, failure: undefined, reason: undefined, asking: undefined }],
    }),
  );
}

const heldIs = async (
  { store }: { readonly store: ReadModelStore },
  generation: Generation,
  held: number,
): Promise<void> =>
  until(`Redis has held ${held}`, async () => {
    const rows = await rowsOf(store, generation);
    return rows.get("M1")?.["held"] === held;
  });

test("a redriven letter reaches Redis, though the position stays", async () => {
  const servers = await serversOfTest();
  const followed = await openFollowed(servers);
  onTestFinished(() => followed[Symbol.asyncDispose]());
  const generation = await followed.followed.open(servers.model);
  const letter = await parked(followed.followed, generation);
  await heldIs(followed, generation, 1);
  await redrive(followed.followed, followed.pool, letter);
  await heldIs(followed, generation, 2);
});

test("a letter that was settled while nobody followed is found at the next claim", async () => {
  const servers = await serversOfTest();
  const before = await openFollowed(servers);
  const generation = await before.followed.open(servers.model);
  const letter = await parked(before.followed, generation);
  await heldIs(before, generation, 1);
  await before.followed[Symbol.asyncDispose]();
  await redrive(before.primary, before.pool, letter);
  await before[Symbol.asyncDispose]();
  const after = await openFollowed(servers);
  onTestFinished(() => after[Symbol.asyncDispose]());
  await after.followed.open(servers.model);
  expect((await rowsOf(after.store, generation)).get("M1")).toEqual({ moduleCode: "M1", held: 1 });
  await after.followed.claim(generation, places(0));
  await heldIs(after, generation, 2);
});
