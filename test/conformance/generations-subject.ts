import type { Comparisons } from "../../engine/ports/comparisons.ts";
import type { Generations } from "../../engine/ports/generations.ts";
import type { Generation, OwnedPartition } from "../../engine/ports/read-model-store.ts";
import type { ReadModelStore } from "../../engine/ports/read-model-store.ts";
import type { Rebuilds } from "../../engine/ports/rebuilds.ts";
import type { Snapshots } from "../../engine/ports/snapshots.ts";
import type { ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { DigestDeltas } from "../../engine/digest.ts";
import { flushOf } from "./read-model-subject.ts";
import { advance, laneAt, places, readModel, seatColumns } from "./store-samples.ts";

/** The ports around rebuilds, on one store. */
export interface GenerationsSubject extends AsyncDisposable {
  readonly store: ReadModelStore;
  readonly reader: ReadModelReader;
  readonly generations: Generations;
  readonly rebuilds: Rebuilds;
  readonly snapshots: Snapshots;
  readonly comparisons: Comparisons;
  /** Lets so much time go by on the clock that holds and leases are measured with. */
  readonly pass: (ms: number) => Promise<void>;
}

type Named = Pick<Generation, "projection" | "generation">;

export const named = ({ projection, generation }: Named): Named => ({ projection, generation });

/** Rows by key, and what they hold, in partition 0 of the samples, up to a position in its lane. */
export async function fill(
  store: ReadModelStore,
  generation: Generation,
  of: { readonly held: Readonly<Record<string, number>>; readonly upTo: number },
): Promise<OwnedPartition> {
  const [owned] = await store.claim(generation, places(0));
  if (owned === undefined) throw new Error("Nothing was claimed.");
  const before = await store.load(generation, Object.keys(of.held));
  const deltas = new DigestDeltas(seatColumns);
  const rows = Object.entries(of.held).map(([key, held]) => {
    const row = { moduleCode: key, held };
    deltas.change(key, before.get(key), row);
    return { key, partition: 0, row };
  });
  const advances = [advance(owned, laneAt(of.upTo))];
  await store.flush(flushOf(generation, { advances, rows, digests: deltas.take() }));
  return owned;
}

/** One that serves, and one that is being built. */
export async function twoGenerations({
  store,
  generations,
}: Pick<GenerationsSubject, "store" | "generations">) {
  const model = readModel();
  const live = await store.open(model);
  const shadow = await generations.create(model, {}, 7n);
  return { model, live, shadow, projection: model.projection };
}
