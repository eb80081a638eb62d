import { classify, reasonOf } from "../error-policy.ts";
import type { Generation } from "../ports/read-model-store.ts";
import type { Generations } from "../ports/generations.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { RowPosition } from "../ports/row-source.ts";
import type { SnapshotInfo, Snapshots } from "../ports/snapshots.ts";
import type { AnyProjection } from "../projection.ts";
import { placeOf } from "../replay/cuts.ts";
import { type AuditSource, standingOf } from "./audit.ts";
import { auditSnapshot } from "./snapshot-audit.ts";
import { superfluous } from "./snapshot-thinning.ts";

export interface SnapshotPolicyLimits {
  /** A snapshot is taken when so many records were applied since the last, */
  readonly everyRecords: number;
  /** or after so long, when anything was. */
  readonly everyMs: number;
  /** Between two looks. */
  readonly lookMs: number;
  /** The newest so many audited ones stay; of older ones ever fewer. */
  readonly keep: number;
  /** Rows of a read model: one with more gets no snapshots, because none could be audited. */
  readonly rowsMax: number;
}

export const defaultSnapshotLimits: SnapshotPolicyLimits = {
  everyRecords: 250_000,
  everyMs: 3_600_000,
  lookMs: 10_000,
  keep: 4,
  rowsMax: 500_000,
};

export interface SnapshotPolicyOptions extends AuditSource, SnapshotPolicyLimits {
  readonly projections: readonly AnyProjection[];
  readonly snapshots: Snapshots;
  readonly generations: Pick<Generations, "list">;
  /** Of the processes that have a projection, one takes its snapshots: is it this one? */
  readonly isMine: (projection: string) => boolean;
  readonly metrics: Metrics;
  /** Told what people should know: a snapshot that the log refutes, a read model that is too large. */
  readonly report: (message: string) => void;
}

/**
 * Takes snapshots of the projections' serving generations, now and then, and holds each against the
 * log before anything may begin with it: from the audited one before, or from the log's beginning.
 *
 * None is taken while records wait as dead letters: it would lack what they make, and a fold that
 * begins with it would never meet them again.
 */
export class SnapshotPolicy {
  readonly #options: SnapshotPolicyOptions;
  /** Projections of which it was told already that they are too large. */
  readonly #tooLarge = new Set<string>();

  constructor(options: SnapshotPolicyOptions) {
    this.#options = options;
  }

  /** Looks again and again until `signal` aborts; a failure is told, and the next look tries again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, lookMs, projections, isMine, metrics, report } = this.#options;
    while (!signal.aborted) {
      for (const projection of projections) {
        if (signal.aborted || !isMine(projection.name)) continue;
        try {
          await this.look(projection, signal);
        } catch (error) {
          if (classify(error) === "rethrow") throw error;
          if (signal.aborted) return;
          metrics.count("snapshot_failures_total", 1, { consumer: projection.name });
          report(`No snapshot of ${projection.name} was made: ${reasonOf(error)}`);
        }
      }
      await clock.sleep(lookMs, signal);
    }
  }

  /** One look at one projection: audits what a look before has left, takes one where it is time. */
  async look(projection: AnyProjection, signal?: AbortSignal): Promise<void> {
    const generation = await this.#serving(projection);
    if (generation === undefined) return;
    const known = await this.#options.snapshots.list(projection.name);
    const newest = known.find((one) => isOf(one, generation));
    if (newest !== undefined && newest.audit === undefined && newest.refuted === undefined) {
      await this.#audit(projection, newest, signal);
    } else if (await this.#isDue(generation, newest)) {
      await this.#audit(projection, await this.#options.snapshots.take(generation), signal);
    } else return;
    const all = await this.#options.snapshots.list(projection.name);
    for (const one of superfluous(all, projection.version, this.#options.keep)) {
      await this.#options.snapshots.remove(one.id);
    }
  }

  async #serving({ name, version }: AnyProjection): Promise<Generation | undefined> {
    const all = await this.#options.generations.list(name);
    return all.find((one) => one.role === "serving" && one.version === version);
  }

  async #isDue(generation: Generation, newest: SnapshotInfo | undefined): Promise<boolean> {
    const { comparisons, everyRecords, everyMs, clock, rowsMax } = this.#options;
    const { rows, positions } = await comparisons.within([generation], async ([view]) => {
      const digests = [...(view?.digests.values() ?? [])];
      return {
        rows: digests.reduce((sum, digest) => sum + digest.rows, 0),
        positions: standingOf(view),
      };
    });
    const applied = recordsBetween(newest?.positions ?? [], positions);
    const isTime = newest === undefined || clock.nowMs() - newest.takenAtMs >= everyMs;
    if (applied < everyRecords && !(isTime && applied > 0)) return false;
    if (rows > rowsMax) return this.#refuse(generation, rows);
    return !(await this.#lettersOpen(generation));
  }

  #refuse({ projection }: Generation, rows: number): false {
    if (this.#tooLarge.has(projection)) return false;
    this.#tooLarge.add(projection);
    this.#options.report(
      `${projection} has ${rows} rows: more than the ${this.#options.rowsMax} with which a snapshot ` +
        "can be audited in memory, so none is taken. Rebuilds of it, and questions about its past, " +
        "begin with the log's beginning.",
    );
    return false;
  }

  async #lettersOpen(of: Pick<Generation, "projection" | "generation">): Promise<boolean> {
    const { projection: consumer, generation } = of;
    const { deadLetters } = this.#options;
    for (const disposition of ["failed", "waiting"] as const) {
      const open = (await deadLetters?.list({ consumer, disposition, limit: 100 })) ?? [];
      // More than a page of other generations' letters is taken for one of this.
      if (open.length === 100 || open.some((letter) => letter.generation === generation))
        return true;
    }
    return false;
  }

  async #audit(
    projection: AnyProjection,
    taken: SnapshotInfo,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { snapshots, metrics, report, rowsMax } = this.#options;
    const consumer = projection.name;
    const ask = { projection, taken, rowsMax, ...(signal ? { signal } : {}) };
    const verdict = await auditSnapshot({ ...this.#options, snapshots }, ask);
    if (verdict.outcome === "equal") {
      // One may have been set aside just before it was taken: then what the letter makes is lacking.
      if (await this.#lettersOpen(taken)) return snapshots.remove(taken.id);
      metrics.count("snapshots_audited_total", 1, { consumer });
      return snapshots.audited(taken.id, verdict.from);
    }
    metrics.count("snapshots_refuted_total", 1, { consumer });
    await snapshots.refuted(taken.id, verdict.why);
    report(
      `Snapshot ${taken.id} of ${consumer} isn't what the log gives: ${verdict.why} ` +
        `Run refold audit ${consumer}, then heal the keys that it names, or rebuild.`,
    );
  }
}

const isOf = (one: SnapshotInfo, { generation, version }: Generation): boolean =>
  one.generation === generation && one.version === version;

/** Offsets may have gaps, so that it is about so many. */
function recordsBetween(from: readonly RowPosition[], to: readonly RowPosition[]): number {
  const began = new Map(from.map((at) => [placeOf(at), at.position.nextOffset]));
  return to.reduce((sum, at) => {
    return sum + Number(at.position.nextOffset - (began.get(placeOf(at)) ?? 0n));
  }, 0);
}
