import type { AnyRow } from "../columns.ts";
import { generationUnknown } from "../generation-faults.ts";
import type { GenerationRole } from "../ports/generations.ts";
import type { StandingPartition as ViewedPartition } from "../ports/read-model-snapshots.ts";
import type { Generation, ReadModel } from "../ports/read-model-store.ts";
import { copyRow } from "../stored-row.ts";
import { compareText } from "./find-rows.ts";
import { MemoryPositions } from "./positions.ts";

/** One build of a read model; what isn't `readonly` changes with its role. */
export interface StoredGeneration {
  readonly model: ReadModel;
  readonly number: number;
  readonly positions: MemoryPositions;
  readonly rows: Map<string, AnyRow>;
  /** Partition of the input to which the row of a key belongs. */
  readonly partitions: Map<string, number>;
  readonly digests: Map<number, { hash: bigint; rows: number }>;
  readonly createdAtMs: number;
  readonly rebuild: bigint | undefined;
  /** Of those that don't serve. */
  role: Exclude<GenerationRole, "serving">;
  keptUntilMs: number | undefined;
  /** Flushes that settled dead letters. */
  settled: number;
}

type Named = Pick<Generation, "projection" | "generation">;

/** The builds that memory's stores share, and the pointer to the one that serves. */
export class StoredGenerations {
  readonly #builds = new Map<string, Map<number, StoredGeneration>>();
  readonly #serving = new Map<string, number>();
  /** Numbers are never used again: letters of a removed generation stay. */
  readonly #last = new Map<string, number>();

  add(
    model: ReadModel,
    made: { readonly createdAtMs?: number; readonly rebuild?: bigint } = {},
  ): StoredGeneration {
    const { projection } = model;
    const number = (this.#last.get(projection) ?? 0) + 1;
    const positions = new MemoryPositions(projection);
    positions.add(model.topics);
    const build: StoredGeneration = {
      model,
      number,
      positions,
      rows: new Map(),
      partitions: new Map(),
      digests: new Map(),
      createdAtMs: made.createdAtMs ?? 0,
      rebuild: made.rebuild,
      role: "building",
      keptUntilMs: undefined,
      settled: 0,
    };
    const builds = this.#builds.get(projection) ?? new Map<number, StoredGeneration>();
    this.#builds.set(projection, builds.set(number, build));
    this.#last.set(projection, number);
    return build;
  }

  /** Moves the pointer. */
  serve({ projection, generation }: Named): void {
    this.#serving.set(projection, generation);
  }

  delete({ projection, generation }: Named): void {
    this.#builds.get(projection)?.delete(generation);
  }

  serving(projection: string): StoredGeneration | undefined {
    const number = this.#serving.get(projection);
    return number === undefined ? undefined : this.#builds.get(projection)?.get(number);
  }

  find({ projection, generation }: Named): StoredGeneration | undefined {
    return this.#builds.get(projection)?.get(generation);
  }

  /** @throws FatalError `generation-unknown`. */
  get(of: Named): StoredGeneration {
    const build = this.find(of);
    if (build === undefined) throw generationUnknown(of.projection, of.generation);
    return build;
  }

  /** Was there ever one of this number? */
  wasThere({ projection, generation }: Named): boolean {
    return generation > 0 && generation <= (this.#last.get(projection) ?? 0);
  }

  /** In order of projection and number. */
  all(): StoredGeneration[] {
    return [...this.#builds]
      .sort(([a], [b]) => compareText(a, b))
      .flatMap(([, builds]) => [...builds.values()]);
  }

  roleOf(build: StoredGeneration): GenerationRole {
    return this.serving(build.model.projection) === build ? "serving" : build.role;
  }
}

/** A copy of its rows, in order of key. */
export function copyRows({ model, rows, partitions }: StoredGeneration) {
  return [...rows]
    .sort(([a], [b]) => compareText(a, b))
    .map(([key, row]) => ({
      key,
      partition: partitions.get(key) ?? 0,
      row: copyRow(model.columns, row),
    }));
}

/** A copy of its digests, by bucket. */
export function copyDigests({ digests }: StoredGeneration) {
  const kept = [...digests].filter(([, { hash, rows }]) => rows !== 0 || hash !== 0n);
  return new Map(kept.sort(([a], [b]) => a - b).map(([bucket, of]) => [bucket, { ...of }]));
}

export const viewedPartitions = ({ positions, settled }: StoredGeneration): ViewedPartition[] =>
  positions.all().map(({ topic, partition, epoch, position, lastRecordedAtMs }) => {
    const revision = String(settled);
    return { topic, partition, epoch, position, lastRecordedAtMs, revision };
  });

export function* pagesOf<Item>(items: readonly Item[], pageItems: number) {
  for (let at = 0; at < items.length; at += pageItems) yield items.slice(at, at + pageItems);
}
