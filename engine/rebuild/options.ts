import type { BackoffOptions } from "../backoff.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { EventCodec } from "../ports/codec.ts";
import type { Comparisons } from "../ports/comparisons.ts";
import type { DeadLetters } from "../ports/dead-letters.ts";
import type { OpenDifferenceSink } from "../ports/difference-sink.ts";
import type { Generations } from "../ports/generations.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { Generation, ReadModelStore } from "../ports/read-model-store.ts";
import type { Rebuilds } from "../ports/rebuilds.ts";
import type { RecordLog } from "../ports/record-log.ts";
import type { SecondStore } from "../ports/second-store.ts";
import type { Snapshots } from "../ports/snapshots.ts";
import type { RebuildProbe } from "./crash-points.ts";
import { defaultPlanLimits, type PlanLimits } from "./plan.ts";

/** Where a rebuild reads, writes, and is written down. */
export interface RebuildStores {
  readonly rebuilds: Rebuilds;
  readonly generations: Generations;
  readonly comparisons: Comparisons;
  readonly snapshots: Snapshots;
  readonly readModels: ReadModelStore;
  readonly log: Pick<RecordLog, "topics" | "bounds" | "read" | "offsetsAt">;
  /** undefined: this system sets no records aside. */
  readonly deadLetters: DeadLetters | undefined;
}

export interface RebuildEnvironment extends RebuildStores {
  readonly codec: EventCodec;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics?: Metrics;
  /** Names this process among those that may conduct: unique. */
  readonly instance: string;
  /** Of this program, for proofs. */
  readonly codeVersion: string;
  /** Do tasks keep this generation current now? Where none does, it stands still. */
  readonly isWorkedOn: (of: Pick<Generation, "projection" | "generation">) => Promise<boolean>;
  readonly secondStore?: SecondStore;
  /** Left out: differing rows are only counted and sampled. */
  readonly openDifferences?: OpenDifferenceSink;
  readonly limits?: Partial<RebuildLimits>;
  readonly probe?: RebuildProbe;
}

/** Bounds of a conductor's work. */
export interface RebuildLimits {
  /** A conductor that hasn't renewed its lease for so long is taken for dead. */
  readonly leaseMs: number;
  /** How long tasks stand still at most, whatever becomes of who asked for it. */
  readonly holdMs: number;
  /** How long standing tasks are waited for, as a part of it. */
  readonly standMs: number;
  /** First pause between two looks at who stands; it doubles, up to ten times as much. */
  readonly standPollMs: number;
  /** So near to the serving generation, the shadow is close enough for a hold. */
  readonly closeRecordsMax: number;
  /** Progress is written down at most once in so long. */
  readonly progressMs: number;
  /** How often the serving generation's lag is looked at, while the shadow works. */
  readonly lagPollMs: number;
  /** A partition that hasn't moved while the shadow stood still for so long isn't waited for. */
  readonly patienceMs: number;
  /** How often a shadow that waits for an acceptance is brought up. */
  readonly followMs: number;
  /** Samples of each kind in a proof; the sink takes all. */
  readonly samplesMax: number;
  /** Characters of a value in a sample. */
  readonly sampleTextMax: number;
  /** How long the second store is waited for inside a hold, */
  readonly secondStoreHeldMs: number;
  /** and outside of it. */
  readonly secondStoreMs: number;
  readonly fetchBytesMax: number;
  /** Of the sample that a plan is estimated from. */
  readonly plan: PlanLimits;
  /** Between tries of what failed; there is no last one. */
  readonly backoff: Omit<BackoffOptions, "attemptsMax">;
}

export const defaultRebuildLimits: RebuildLimits = {
  leaseMs: 10_000,
  holdMs: 5_000,
  standMs: 3_000,
  standPollMs: 3,
  closeRecordsMax: 1_000,
  progressMs: 500,
  lagPollMs: 200,
  patienceMs: 10_000,
  followMs: 500,
  samplesMax: 10,
  sampleTextMax: 200,
  secondStoreHeldMs: 100,
  secondStoreMs: 5_000,
  fetchBytesMax: 1024 * 1024,
  plan: defaultPlanLimits,
  backoff: { initialMs: 100, maxMs: 10_000 },
};

/** @throws RangeError naming every fault. */
export function rebuildLimits(given: Partial<RebuildLimits> = {}): RebuildLimits {
  const limits = { ...defaultRebuildLimits, ...given };
  const { backoff: _, plan: __, samplesMax, ...positive } = limits;
  const faults = Object.entries(positive)
    .filter(([, value]) => !(value > 0))
    .map(([name]) => `${name} must be more than 0`);
  if (!Number.isInteger(samplesMax) || samplesMax < 0) faults.push("samplesMax must be 0 or more");
  if (limits.standMs > limits.holdMs) faults.push("standMs must not be more than holdMs");
  if (faults.length > 0) throw new RangeError(`Rebuild limits: ${faults.join("; ")}.`);
  return limits;
}
