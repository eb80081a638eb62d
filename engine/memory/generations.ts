import {
  assertRemovable,
  generationServes,
  generationUnknown,
  snapshotUnknown,
} from "../generation-faults.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  GenerationHold,
  GenerationInfo,
  Generations,
  GenerationStart,
  HealAsk,
  HealOutcome,
  HeldPartition,
  Swap,
  SwapVerdict,
} from "../ports/generations.ts";
import type { Generation, ReadModel } from "../ports/read-model-store.ts";
import { swapRefusal } from "../swap-check.ts";
import { Turns } from "../turns.ts";
import { MemoryHeals } from "./heals.ts";
import { MemoryHolds, stillStanding } from "./holds.ts";
import type { MemoryReadModelStore } from "./read-model-store.ts";
import type { MemorySnapshots } from "./snapshots.ts";
import {
  copyDigests,
  type StoredGeneration,
  type StoredGenerations,
} from "./stored-generations.ts";

type Named = Pick<Generation, "projection" | "generation">;

export interface MemoryGenerationsOptions {
  readonly store: MemoryReadModelStore;
  readonly clock: Clock;
  /** Where new generations may begin from. */
  readonly snapshots?: MemorySnapshots;
}

const notKept: HealOutcome = { kind: "failed", reason: "The generation isn't kept any more." };

/** Generations in memory: the exact reference of the port. */
export class MemoryGenerations implements Generations {
  /** Rebuilds in memory give turns of it too. */
  readonly changes: Turns;
  readonly #builds: StoredGenerations;
  readonly #clock: Clock;
  readonly #snapshots: MemorySnapshots | undefined;
  readonly #holds: MemoryHolds;
  readonly #heals = new MemoryHeals();

  constructor({ store, clock, snapshots }: MemoryGenerationsOptions) {
    this.#builds = store.generations;
    this.#clock = clock;
    this.#snapshots = snapshots;
    this.#holds = new MemoryHolds(clock);
    this.changes = new Turns(clock);
  }

  async list(projection?: string): Promise<readonly GenerationInfo[]> {
    return this.#builds
      .all()
      .filter(({ model }) => projection === undefined || model.projection === projection)
      .map((build) => this.#infoOf(build));
  }

  async create(model: ReadModel, start: GenerationStart, rebuild: bigint): Promise<Generation> {
    const { projection, version } = model;
    const { snapshot, positions } = start;
    if (snapshot !== undefined) this.#snapshotsFor(snapshot).assertFits(snapshot, model);
    const build = this.#builds.add(model, { createdAtMs: this.#clock.nowMs(), rebuild });
    if (positions !== undefined) build.positions.begin(positions);
    if (snapshot !== undefined) this.#snapshotsFor(snapshot).copyInto(snapshot, build);
    this.changes.give();
    return { projection, generation: build.number, version, serving: false };
  }

  async swap(swap: Swap): Promise<SwapVerdict> {
    const { projection, condition, keepMs } = swap;
    const serving = this.#builds.serving(projection);
    if (serving === undefined) throw generationUnknown(projection);
    const to = this.#builds.find({ projection, generation: swap.to });
    const ready = to?.role === "building" || to?.role === "kept";
    if (serving.number !== swap.from || to === serving || to === undefined || !ready) {
      return { outcome: "moved", serving: serving.number };
    }
    const refusal = swapRefusal(condition, sideOf(serving), sideOf(to));
    if (refusal !== undefined) return refusal;
    const atMs = this.#clock.nowMs();
    this.#builds.serve({ projection, generation: to.number });
    to.keptUntilMs = undefined;
    if (keepMs > 0) {
      serving.role = "kept";
      serving.keptUntilMs = atMs + keepMs;
    } else this.#giveUp(serving);
    this.changes.give();
    return { outcome: "swapped", atMs };
  }

  async retire(of: Named): Promise<void> {
    const build = this.#builds.find(of);
    if (build === undefined && this.#builds.wasThere(of)) return;
    const role = this.#builds.roleOf(this.#builds.get(of));
    if (role === "serving") throw generationServes(of.projection, of.generation);
    this.#giveUp(this.#builds.get(of));
    this.changes.give();
  }

  async remove(of: Named, rowsMax: number): Promise<"more" | "gone"> {
    const build = this.#builds.find(of);
    if (build === undefined && this.#builds.wasThere(of)) return "gone";
    assertRemovable(of, this.#builds.roleOf(this.#builds.get(of)));
    const { rows, positions } = this.#builds.get(of);
    // Whoever works on it still is fenced out.
    positions.claim(positions.all());
    for (const key of [...rows.keys()].slice(0, rowsMax)) rows.delete(key);
    if (rows.size > 0) return "more";
    this.#builds.delete(of);
    this.changes.give();
    return "gone";
  }

  async hold(of: Named, forMs: number): Promise<bigint> {
    this.#builds.get(of);
    const hold = this.#holds.open(of, forMs);
    this.changes.give();
    return hold;
  }

  async release(hold: bigint): Promise<void> {
    if (this.#holds.close(hold)) this.changes.give();
  }

  async holds(): Promise<readonly GenerationHold[]> {
    return this.#holds.list();
  }

  async stand(hold: bigint, partitions: readonly HeldPartition[]): Promise<void> {
    if (this.#holds.stand(hold, partitions)) this.changes.give();
  }

  async standing(hold: bigint): Promise<readonly HeldPartition[]> {
    const held = this.#holds.find(hold);
    const build = held && this.#builds.find(held);
    return build ? stillStanding(held, build.positions.all()) : [];
  }

  async askHeal(of: Omit<HealAsk, "id">): Promise<bigint> {
    this.#builds.get(of);
    const id = this.#heals.ask(of);
    this.changes.give();
    return id;
  }

  async healAsks(limit: number): Promise<readonly HealAsk[]> {
    return this.#heals.asks(limit);
  }

  async answerHeal(id: bigint, outcome: HealOutcome): Promise<void> {
    this.#heals.answer(id, outcome);
    this.changes.give();
  }

  async healOutcome(id: bigint): Promise<HealOutcome | undefined> {
    return this.#heals.outcome(id);
  }

  turns(signal: AbortSignal): AsyncIterable<void> {
    return this.changes.follow(signal);
  }

  #giveUp(build: StoredGeneration): void {
    build.role = "removing";
    build.keptUntilMs = undefined;
    const { projection } = build.model;
    this.#heals.answerAll({ projection, generation: build.number }, notKept);
  }

  #infoOf(build: StoredGeneration): GenerationInfo {
    const { projection, version, columns } = build.model;
    const { number: generation, createdAtMs, rebuild, keptUntilMs } = build;
    const role = this.#builds.roleOf(build);
    const serving = role === "serving";
    const made = { createdAtMs, rebuild, keptUntilMs };
    return { projection, generation, version, serving, role, columns: { ...columns }, ...made };
  }

  #snapshotsFor(id: bigint): MemorySnapshots {
    if (this.#snapshots === undefined) throw snapshotUnknown(id);
    return this.#snapshots;
  }
}

const sideOf = (build: StoredGeneration) => ({
  standing: build.positions.all(),
  digests: copyDigests(build),
});
