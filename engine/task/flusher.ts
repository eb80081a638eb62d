import { type BackoffOptions, backoffMs } from "../backoff.ts";
import type { Probe } from "../crash-points.ts";
import { classify } from "../error-policy.ts";
import { FencedError, TransientError } from "../errors.ts";
import type { Position } from "../position.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Load } from "../ports/load.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { Advance, OwnedPartition } from "../ports/read-model-store.ts";
import type { FlushBatch, TaskStore } from "./batch.ts";
import { type RestLimits, restMs } from "./rests.ts";
import { UnfitBatchError } from "./suspects.ts";

export interface FlusherOptions {
  readonly consumer: string;
  readonly store: TaskStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly probe: Probe;
  readonly backoff: BackoffOptions;
  readonly load: Load;
  readonly rests: RestLimits;
  /** Ends waiting between tries. */
  readonly signal: AbortSignal;
}

export type FlushOutcome =
  /** With the epochs as they are now: a lost answer may have raised them. */
  | { readonly kind: "committed"; readonly advances: readonly Advance[] }
  | { readonly kind: "fenced"; readonly partitions: readonly number[] }
  /** Nothing was written: the records that it is for must be set aside. */
  | { readonly kind: "unfit"; readonly error: UnfitBatchError }
  | { readonly kind: "halted"; readonly error: unknown };

/** Brings one batch to the store, trying again what may work later. */
export class Flusher {
  readonly #options: FlusherOptions;
  #restUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: FlusherOptions) {
    this.#options = options;
  }

  /** When a batch that isn't full may follow the last one (monotonic). */
  get restUntilMs(): number {
    return this.#restUntilMs;
  }

  /** Rejects only with what nobody may catch (a broken invariant, a test's crash). */
  async run(batch: FlushBatch): Promise<FlushOutcome> {
    const { clock, metrics, consumer, load, rests } = this.#options;
    const startedMs = clock.monotonicMs();
    const outcome = await this.#tried(batch);
    const endedMs = clock.monotonicMs();
    const tookMs = endedMs - startedMs;
    this.#restUntilMs = endedMs + restMs(tookMs, load.busy(), rests);
    metrics.observe("flush_seconds", tookMs / 1_000, { consumer });
    // Only what is durable counts: what was folded and not written is folded again.
    if (outcome.kind === "committed") {
      metrics.count("records_applied_total", batch.applied ?? 0, { consumer });
    }
    if (outcome.kind === "fenced") metrics.count("fenced_flushes_total", 1, { consumer });
    return outcome;
  }

  async #tried(batch: FlushBatch): Promise<FlushOutcome> {
    let current = batch;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#send(current);
        return { kind: "committed", advances: current.advances };
      } catch (error) {
        const verdict = classify(error);
        if (verdict === "rethrow") throw error;
        if (error instanceof FencedError) return { kind: "fenced", partitions: error.partitions };
        if (error instanceof UnfitBatchError) return { kind: "unfit", error };
        if (isUnclear(batch, error)) return { kind: "fenced", partitions: partitionsOf(batch) };
        if (verdict !== "retry" || !(await this.#mayRetry(attempt))) {
          return { kind: "halted", error };
        }
        const looked = await this.#looked(current, error);
        if ("kind" in looked) return looked;
        current = looked;
      }
    }
  }

  async #send(batch: FlushBatch): Promise<void> {
    const { store, probe } = this.#options;
    probe.at("flush-sent");
    await store.flush(batch);
    probe.at("flush-committed");
  }

  async #mayRetry(attempt: number): Promise<boolean> {
    const { backoff, random, clock, metrics, signal, consumer } = this.#options;
    if (attempt >= backoff.attemptsMax || signal.aborted) return false;
    metrics.count("retries_total", 1, { consumer });
    await clock.sleep(backoffMs(attempt, backoff, random), signal);
    return !signal.aborted;
  }

  /**
   * What to do after an error that may pass: the batch to send again, or the outcome. A lost answer
   * may hide a commit: claiming raises the epochs, so that a transaction still on its way can't
   * commit any more, and then the stored positions tell.
   */
  async #looked(batch: FlushBatch, error: unknown): Promise<FlushBatch | FlushOutcome> {
    if (!(error instanceof TransientError) || error.code !== "outcome-unknown") return batch;
    let owned: readonly OwnedPartition[];
    try {
      owned = await this.#options.store.claim(batch.advances);
    } catch (failure) {
      if (classify(failure) === "rethrow") throw failure;
      // Not seen yet: the same flush tells, since positions are compared, or loses the answer again.
      return batch;
    }
    const advances = batch.advances.map((advance) => renewed(advance, owned));
    const stands = advances.map((advance) => standing(advance, owned));
    if (stands.every((at) => at === "done")) return { kind: "committed", advances };
    if (stands.every((at) => at === "undone")) return { ...batch, advances };
    const lost = advances.filter((_, index) => stands[index] !== "undone");
    return { kind: "fenced", partitions: lost.map((advance) => advance.partition) };
  }
}

/**
 * A flush that settles letters or heals a row leaves the position where it is, so the position can't
 * tell what became of it: the partition is claimed again, and letters and row are looked at anew.
 */
const isUnclear = ({ settlements, corrections }: FlushBatch, error: unknown): boolean =>
  (settlements.length > 0 || corrections !== undefined) &&
  error instanceof TransientError &&
  error.code === "outcome-unknown";

const partitionsOf = ({ advances }: FlushBatch): number[] =>
  advances.map(({ partition }) => partition);

function of(advance: Advance, owned: readonly OwnedPartition[]): OwnedPartition | undefined {
  return owned.find((one) => one.topic === advance.topic && one.partition === advance.partition);
}

function renewed(advance: Advance, owned: readonly OwnedPartition[]): Advance {
  return { ...advance, epoch: of(advance, owned)?.epoch ?? advance.epoch };
}

function standing(advance: Advance, owned: readonly OwnedPartition[]): "done" | "undone" | "other" {
  const at = of(advance, owned)?.position;
  if (samePlace(at, advance.to)) return "done";
  return samePlace(at, advance.from) ? "undone" : "other";
}

function samePlace(one: Position | undefined, other: Position | undefined): boolean {
  return one?.logId === other?.logId && one?.nextOffset === other?.nextOffset;
}
