import type { Clock } from "../ports/clock.ts";
import type {
  EffectCount,
  EffectFilter,
  EffectLedger,
  EffectSettlement,
  NewEffect,
  StoredEffect,
  TakeEffects,
} from "../ports/effect-ledger.ts";
import { jsonCopy } from "./json-copy.ts";

interface Entry {
  /** By which effects are in order of being requested. */
  readonly order: number;
  readonly stored: StoredEffect;
}

/** The ledger of effects in memory: the exact reference of the port. Entries are never changed. */
export class MemoryEffectLedger implements EffectLedger {
  readonly #clock: Pick<Clock, "nowMs">;
  #requested = 0;
  /** Those that aren't done, apart from the others, of which there are more and more. */
  #open = new Map<string, Entry>();
  #done = new Map<string, Entry>();

  constructor(options: { readonly clock: Pick<Clock, "nowMs"> }) {
    this.#clock = options.clock;
  }

  /** What an append wants. @returns the keys of those whose first try has begun with it. */
  request(effects: readonly NewEffect[]): string[] {
    const begun: string[] = [];
    for (const effect of effects) {
      if (this.#find(effect.key)) continue;
      const { secret, leaseMs, ...rest } = effect;
      const begins = leaseMs !== undefined;
      if (begins) begun.push(effect.key);
      const stored: StoredEffect = {
        ...rest,
        input: jsonCopy(effect.input),
        ...(secret === undefined ? {} : { secret: jsonCopy(secret) }),
        tags: [...effect.tags],
        state: begins ? "started" : "requested",
        attempts: begins ? 1 : 0,
        requestedAt: this.#now(),
        startedAt: begins ? this.#now() : undefined,
        nextAt: new Date(this.#clock.nowMs() + (leaseMs ?? 0)),
        endedAt: undefined,
        answer: undefined,
        error: undefined,
      };
      this.#requested += 1;
      this.#open.set(effect.key, { order: this.#requested, stored });
    }
    return begun;
  }

  /** What an append is the answer to. */
  settle(settlements: readonly EffectSettlement[]): void {
    for (const { key, answer } of settlements) {
      const entry = this.#open.get(key);
      if (!entry) continue;
      const { secret: _, ...rest } = entry.stored;
      const over = { state: "done", endedAt: this.#now(), answer: jsonCopy(answer) } as const;
      this.#open.delete(key);
      this.#done.set(key, { ...entry, stored: { ...rest, ...over, error: undefined } });
    }
  }

  /** @returns what puts everything back as it is now. */
  checkpoint(): () => void {
    const [open, done] = [new Map(this.#open), new Map(this.#done)];
    return () => {
      this.#open = open;
      this.#done = done;
    };
  }

  async take({ kinds, limit, leaseMs }: TakeEffects): Promise<readonly StoredEffect[]> {
    const now = this.#now();
    const nextAt = new Date(now.getTime() + leaseMs);
    const due = [...this.#open.values()]
      .filter(({ stored }) => stored.state !== "failed" && stored.nextAt <= now)
      .filter(({ stored }) => kinds.includes(stored.kind))
      .sort((one, other) => dueMs(one) - dueMs(other) || one.order - other.order)
      .slice(0, limit);
    return due.map(({ stored }) => {
      const attempts = stored.attempts + 1;
      return this.#change(stored.key, { state: "started", attempts, startedAt: now, nextAt });
    });
  }

  async postpone(
    key: string,
    failure: { readonly afterMs: number; readonly error: string },
  ): Promise<void> {
    if (!this.#isRunning(key)) return;
    const nextAt = new Date(this.#clock.nowMs() + failure.afterMs);
    this.#change(key, { state: "requested", nextAt, error: failure.error });
  }

  async giveUp(key: string, error: string): Promise<void> {
    if (!this.#isRunning(key)) return;
    this.#change(key, { state: "failed", endedAt: this.#now(), error, secret: undefined });
  }

  async retry(keys: readonly string[]): Promise<number> {
    const failed = new Set(keys.filter((key) => this.#open.get(key)?.stored.state === "failed"));
    for (const key of failed) {
      this.#change(key, { state: "requested", nextAt: this.#now(), endedAt: undefined });
    }
    return failed.size;
  }

  async find(key: string): Promise<StoredEffect | undefined> {
    return this.#find(key)?.stored;
  }

  async list(filter: EffectFilter): Promise<readonly StoredEffect[]> {
    return [...this.#open.values(), ...this.#done.values()]
      .sort((one, other) => one.order - other.order)
      .map(({ stored }) => stored)
      .filter((stored) => fits(stored, filter))
      .slice(0, filter.limit);
  }

  async counts(): Promise<readonly EffectCount[]> {
    const groups = Map.groupBy(this.#open.values(), ({ stored }) =>
      JSON.stringify([stored.kind, stored.state]),
    );
    return [...groups]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, entries]) => this.#count(entries as [Entry, ...Entry[]]));
  }

  #count(entries: readonly [Entry, ...Entry[]]): EffectCount {
    const { kind, state } = entries[0].stored;
    const oldest = Math.min(...entries.map(({ stored }) => stored.requestedAt.getTime()));
    return { kind, state, effects: entries.length, oldestMs: this.#clock.nowMs() - oldest };
  }

  #find(key: string): Entry | undefined {
    return this.#open.get(key) ?? this.#done.get(key);
  }

  #isRunning(key: string): boolean {
    const entry = this.#open.get(key);
    return entry !== undefined && entry.stored.state !== "failed";
  }

  #change(key: string, change: Partial<StoredEffect>): StoredEffect {
    const entry = this.#open.get(key) as Entry;
    const stored = { ...entry.stored, ...change };
    if (stored.secret === undefined) delete stored.secret;
    this.#open.set(key, { ...entry, stored });
    return stored;
  }

  #now(): Date {
    return new Date(this.#clock.nowMs());
  }
}

const dueMs = ({ stored }: Entry): number => stored.nextAt.getTime();

function fits(stored: StoredEffect, filter: EffectFilter): boolean {
  const { kind, state, tag, correlationId } = filter;
  return (
    (kind === undefined || stored.kind === kind) &&
    (state === undefined || stored.state === state) &&
    (tag === undefined || stored.tags.includes(tag)) &&
    (correlationId === undefined || stored.correlationId === correlationId)
  );
}
