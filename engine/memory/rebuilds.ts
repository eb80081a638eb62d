import type { Clock } from "../ports/clock.ts";
import type {
  RebuildChange,
  RebuildRecord,
  RebuildRequest,
  Rebuilds,
  RebuildStart,
  RebuildState,
  RebuildWish,
  WishOptions,
} from "../ports/rebuilds.ts";
import {
  assertTransition,
  isOpenRebuild,
  rebuildLost,
  rebuildUnknown,
  takesWish,
} from "../rebuild-states.ts";
import type { MemoryGenerations } from "./generations.ts";

export interface MemoryRebuildsOptions {
  readonly generations: MemoryGenerations;
  readonly clock: Pick<Clock, "nowMs">;
}

type Stored = Omit<RebuildRecord, "conductor"> & {
  readonly lease: { readonly conductor: string; readonly untilMs: number } | undefined;
};

/** Rebuilds in memory: the exact reference of the port. */
export class MemoryRebuilds implements Rebuilds {
  readonly #generations: MemoryGenerations;
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #rebuilds = new Map<bigint, Stored>();

  constructor({ generations, clock }: MemoryRebuildsOptions) {
    this.#generations = generations;
    this.#clock = clock;
  }

  async start(request: RebuildRequest): Promise<RebuildStart> {
    const { projection } = request;
    const builds = await this.#generations.list(projection);
    const serving = builds.find(({ role }) => role === "serving");
    if (serving === undefined) return { outcome: "never-built" };
    const open = [...this.#rebuilds.values()].find(
      (one) => one.request.projection === projection && isOpenRebuild(one),
    );
    if (open !== undefined) return { outcome: "open", record: this.#told(open) };
    const record = this.#put({
      id: BigInt(this.#rebuilds.size + 1),
      request: structuredClone(request),
      state: "planned",
      wish: "run",
      base: serving.generation,
      shadow: undefined,
      plan: undefined,
      progress: undefined,
      proof: undefined,
      failure: undefined,
      swapHeldMs: undefined,
      lease: undefined,
      createdAtMs: this.#clock.nowMs(),
      changedAtMs: this.#clock.nowMs(),
      undoUntilMs: undefined,
    });
    return { outcome: "started", record };
  }

  async find(id: bigint): Promise<RebuildRecord | undefined> {
    const found = this.#rebuilds.get(id);
    return found && this.#told(found);
  }

  async list(filter: {
    readonly projection?: string;
    readonly states?: readonly RebuildState[];
    readonly limit: number;
  }): Promise<readonly RebuildRecord[]> {
    const { projection, states, limit } = filter;
    return [...this.#rebuilds.values()]
      .toReversed()
      .filter(({ request }) => projection === undefined || request.projection === projection)
      .filter(({ state }) => states === undefined || states.includes(state))
      .slice(0, limit)
      .map((stored) => this.#told(stored));
  }

  async wish(
    id: bigint,
    wish: RebuildWish,
    { accept, by, reason }: WishOptions = {},
  ): Promise<boolean> {
    const stored = this.#rebuilds.get(id);
    if (stored === undefined || !takesWish(stored, wish, this.#clock.nowMs())) return false;
    const atMs = this.#clock.nowMs();
    const asked = by === undefined ? {} : { asked: { wish, by, reason, atMs } };
    this.#put({ ...stored, ...asked, wish, request: accepted(stored.request, accept) });
    return true;
  }

  async lead(id: bigint, conductor: string, leaseMs: number): Promise<RebuildRecord | undefined> {
    const stored = this.#rebuilds.get(id);
    const leader = stored && this.#leaderOf(stored);
    if (stored === undefined || (leader !== undefined && leader !== conductor)) return undefined;
    const lease = { conductor, untilMs: this.#clock.nowMs() + leaseMs };
    const led = { ...stored, lease };
    this.#rebuilds.set(id, led);
    if (leader === undefined) this.#generations.changes.give();
    return this.#told(led);
  }

  async leave(id: bigint, conductor: string): Promise<void> {
    const stored = this.#rebuilds.get(id);
    if (stored?.lease?.conductor !== conductor) return;
    this.#rebuilds.set(id, { ...stored, lease: undefined });
    this.#generations.changes.give();
  }

  async change(id: bigint, conductor: string, change: RebuildChange): Promise<RebuildRecord> {
    const stored = this.#rebuilds.get(id);
    if (stored === undefined) throw rebuildUnknown(id);
    if (stored.lease?.conductor !== conductor) throw rebuildLost(id, conductor);
    const { accept, ...fields } = structuredClone(change);
    if (fields.state !== undefined) assertTransition(stored, fields.state);
    return this.#put({ ...stored, ...fields, request: accepted(stored.request, accept) });
  }

  #put(stored: Stored): RebuildRecord {
    const changed = { ...stored, changedAtMs: this.#clock.nowMs() };
    this.#rebuilds.set(stored.id, changed);
    this.#generations.changes.give();
    return this.#told(changed);
  }

  #leaderOf({ lease }: Stored): string | undefined {
    return lease !== undefined && lease.untilMs > this.#clock.nowMs() ? lease.conductor : undefined;
  }

  #told(stored: Stored): RebuildRecord {
    const { lease: _, ...record } = structuredClone(stored);
    return { ...record, conductor: this.#leaderOf(stored) };
  }
}

const accepted = (request: RebuildRequest, accept: boolean | undefined): RebuildRequest =>
  accept === undefined ? request : { ...request, accept };
