import { classify } from "../error-policy.ts";
import { FencedError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Generations } from "../ports/generations.ts";
import type { RebuildChange, RebuildRecord, Rebuilds } from "../ports/rebuilds.ts";

export interface LeaseOptions {
  readonly rebuilds: Rebuilds;
  readonly generations: Pick<Generations, "turns">;
  readonly clock: Clock;
  /** Who takes it. */
  readonly instance: string;
  readonly leaseMs: number;
  /** Ends the work: the process stops. */
  readonly signal: AbortSignal;
}

/**
 * The right to conduct one rebuild, renewed in the background, and the rebuild's record as it was
 * seen last. What is stored is fenced by itself (by epochs, and by the lease in the record): the
 * lease only keeps two conductors from working in vain.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #lost = new AbortController();
  readonly #ending = new AbortController();
  #record: RebuildRecord;
  #renewedAtMs: number;
  #interruption = new AbortController();
  #asked: string;
  readonly #following: Promise<void>;

  private constructor(options: LeaseOptions, record: RebuildRecord, renewedAtMs: number) {
    this.#options = options;
    this.#record = record;
    this.#renewedAtMs = renewedAtMs;
    this.#asked = askOf(record);
    this.#following = this.#follow();
  }

  /** undefined: somebody else has it, or there is no such rebuild. */
  static async take(id: bigint, options: LeaseOptions): Promise<Lease | undefined> {
    const { rebuilds, clock, instance, leaseMs } = options;
    const atMs = clock.monotonicMs();
    const record = await rebuilds.lead(id, instance, leaseMs);
    return record && new Lease(options, record, atMs);
  }

  get record(): RebuildRecord {
    return this.#record;
  }

  /** The lease is somebody else's, or the process stops. */
  get over(): boolean {
    return this.#lost.signal.aborted || this.#options.signal.aborted;
  }

  /** Aborts when the lease is over, or when an operator asks for something else than now. */
  interruption(): AbortSignal {
    this.#interruption = new AbortController();
    this.#asked = askOf(this.#record);
    return AbortSignal.any([this.#interruption.signal, this.#lost.signal, this.#options.signal]);
  }

  /** Aborts when the lease is over. */
  get overSignal(): AbortSignal {
    return AbortSignal.any([this.#lost.signal, this.#options.signal]);
  }

  /** Reads the record anew. */
  async look(): Promise<RebuildRecord> {
    await this.#look();
    return this.#record;
  }

  /** @throws FencedError when the lease is somebody else's. */
  async note(change: RebuildChange): Promise<void> {
    const { rebuilds, instance } = this.#options;
    try {
      this.#see(await rebuilds.change(this.#record.id, instance, change));
    } catch (error) {
      if (error instanceof FencedError) this.#lost.abort();
      throw error;
    }
  }

  /** Gives it back, so that another process may go on at once. */
  async leave(): Promise<void> {
    const { rebuilds, instance } = this.#options;
    await this.stop();
    // One that can't be given back runs out.
    await rebuilds.leave(this.#record.id, instance).catch(() => undefined);
  }

  /** Ends renewing it, and nothing else: it runs out, as when its process has died. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#following;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ending;
    try {
      for await (const _ of this.#options.generations.turns(signal)) {
        if (this.#lost.signal.aborted) return;
        await this.#look().catch((error: unknown) => this.#missed(error));
      }
    } catch {
      // Without turns nobody renews it.
      this.#lost.abort();
    }
  }

  async #look(): Promise<void> {
    const { rebuilds, clock, instance, leaseMs } = this.#options;
    const { id } = this.#record;
    const atMs = clock.monotonicMs();
    const isDue = atMs - this.#renewedAtMs >= leaseMs / 3;
    const seen = isDue ? undefined : await rebuilds.find(id);
    if (seen?.conductor === instance) return this.#see(seen);
    const record = await rebuilds.lead(id, instance, leaseMs);
    if (record === undefined) return this.#lost.abort();
    this.#renewedAtMs = atMs;
    this.#see(record);
  }

  #missed(error: unknown): void {
    const { clock, leaseMs } = this.#options;
    const runOut = clock.monotonicMs() - this.#renewedAtMs >= leaseMs;
    if (runOut || classify(error) !== "retry") this.#lost.abort();
  }

  #see(record: RebuildRecord): void {
    this.#record = record;
    if (askOf(record) !== this.#asked) this.#interruption.abort();
  }
}

/** What operators want of it, to be compared. */
const askOf = ({ wish, request: { accept } }: RebuildRecord): string => `${wish} ${accept}`;
