import { reasonOf, classify } from "../error-policy.ts";
import type { Drifts } from "../ports/drifts.ts";
import type { Generations } from "../ports/generations.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { SnapshotRow } from "../ports/read-model-snapshots.ts";
import type { Generation } from "../ports/read-model-store.ts";
import type { RowSource } from "../ports/row-source.ts";
import type { AnyProjection } from "../projection.ts";
import type { BucketDigest } from "../digest.ts";
import { storedColumns } from "../task/pipeline.ts";
import { auditKey, type AuditSource, type KeyAudit, kindOf, standingOf } from "./audit.ts";
import { DigestCount } from "./digest-count.ts";
import { KeySample } from "./key-sample.ts";
import { inBuckets, LostRows, type StoredKeys } from "./lost-rows.ts";
import { Pace } from "./pace.ts";

export interface StandingAuditLimits {
  /** Stored rows read in a second at most; a pass sees one moment for as long as it takes. */
  readonly rowsPerSecond: number;
  /** Keys refolded from their history in each pass, chosen at random. */
  readonly keysPerPass: number;
  /** Keys refolded beside those, of buckets whose digest isn't that of their rows. */
  readonly suspectsPerPass: number;
  /** Refolds in a second at most. */
  readonly keysPerSecond: number;
  /** Records of the log folded in a second at most, for refolds that the log tells. */
  readonly recordsPerSecond: number;
  /** Rows of differing buckets held in memory, to find out which the store has lost. */
  readonly rowsMax: number;
  /** From the end of one pass to the begin of the next. */
  readonly restMs: number;
}

export const defaultStandingAuditLimits: StandingAuditLimits = {
  rowsPerSecond: 20_000,
  keysPerPass: 20,
  suspectsPerPass: 200,
  keysPerSecond: 20,
  recordsPerSecond: 50_000,
  rowsMax: 200_000,
  restMs: 60_000,
};

export interface StandingAuditOptions extends AuditSource, StandingAuditLimits {
  readonly projections: readonly AnyProjection[];
  readonly generations: Pick<Generations, "list">;
  readonly rows: RowSource;
  readonly drifts: Drifts;
  /** Of the processes that have a projection, one audits it: is it this one? */
  readonly isMine: (projection: string) => boolean;
  readonly metrics: Metrics;
  readonly report: (message: string) => void;
}

/** What one pass over one projection has found. */
export interface StandingAuditPass {
  readonly rows: number;
  readonly keys: number;
  /** Buckets whose stored digest isn't that of the stored rows. */
  readonly buckets: readonly number[];
  readonly driftedKeys: readonly string[];
}

/** What the stored rows of one moment tell, and keys that are worth a refold. */
interface Count extends StoredKeys {
  readonly rows: number;
  readonly keys: readonly string[];
}

/**
 * Looks, in the background and at a bounded rate, whether stored rows still are what they should be:
 * pass after pass it counts all buckets from the stored rows of one moment and compares them with the
 * digests that flushes have kept, and refolds some keys, chosen at random, from their history. In
 * buckets that differ more keys are refolded, so that what was changed by hand is found by name, and
 * the log tells once which of their rows are gone.
 *
 * Nothing is mended here: drift is written down for everybody to see, and stays until the key is
 * sound again or another generation serves.
 */
export class StandingAudit {
  readonly #options: StandingAuditOptions;
  readonly #lostRows: LostRows;

  constructor(options: StandingAuditOptions) {
    this.#options = options;
    this.#lostRows = new LostRows({ ...options, keysMax: options.suspectsPerPass });
  }

  /** Passes until `signal` aborts; a failure is counted and told, and the next pass tries again. */
  async run(signal: AbortSignal): Promise<void> {
    const { projections, isMine, clock, restMs, metrics, report } = this.#options;
    while (!signal.aborted) {
      for (const projection of projections) {
        if (signal.aborted || !isMine(projection.name)) continue;
        try {
          await this.pass(projection, signal);
        } catch (error) {
          if (classify(error) === "rethrow") throw error;
          if (signal.aborted) return;
          metrics.count("audit_failures_total", 1, { consumer: projection.name });
          report(`${projection.name} was not audited: ${reasonOf(error)}`);
        }
      }
      await clock.sleep(restMs, signal);
    }
  }

  /** One pass; undefined where no generation of the definition's version serves. */
  async pass(
    projection: AnyProjection,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<StandingAuditPass | undefined> {
    const all = await this.#options.generations.list(projection.name);
    const { version } = projection;
    const generation = all.find((one) => one.role === "serving" && one.version === version);
    if (generation === undefined) return undefined;
    const count = await this.#count(projection, generation, signal);
    const known = await this.#options.drifts.list(projection.name);
    const { clock, keysPerSecond, recordsPerSecond } = this.#options;
    const records = new Pace(clock, recordsPerSecond);
    const pace = (offsets: number): Promise<void> => records.spend(offsets, signal);
    const lost = await this.#lostRows.find({ projection, generation, ...count, signal, pace });
    const keys = new Set([...known.map(({ key }) => key), ...count.keys, ...lost]);
    const driftedKeys: string[] = [];
    const refolds = new Pace(clock, keysPerSecond);
    for (const key of keys) {
      await refolds.spend(1, signal);
      if (signal.aborted) break;
      if (await this.#refold({ projection, generation, key, pace })) driftedKeys.push(key);
    }
    const buckets = [...count.excess.keys()];
    this.#tell(projection.name, { rows: count.rows, buckets, driftedKeys, keysTried: keys.size });
    return { rows: count.rows, keys: keys.size, buckets, driftedKeys };
  }

  /** All buckets from the stored rows of one moment; random keys on the way. */
  async #count(
    projection: AnyProjection,
    generation: Generation,
    signal: AbortSignal,
  ): Promise<Count> {
    const { comparisons, random, keysPerPass, suspectsPerPass, clock, rowsPerSecond, rowsMax } =
      this.#options;
    const columns = storedColumns(projection);
    return comparisons.within([generation], async ([view]) => {
      const count = new DigestCount(columns);
      const sample = new KeySample(keysPerPass, random);
      const pace = new Pace(clock, rowsPerSecond);
      const read = async (take: (page: readonly SnapshotRow[]) => void): Promise<void> => {
        for await (const page of view?.rows() ?? []) {
          if (signal.aborted) break;
          take(page);
          await pace.spend(page.length, signal);
        }
      };
      await read((page) => {
        count.add(page);
        sample.add(page);
      });
      // What was not wholly read tells nothing of its digests.
      const excess = signal.aborted ? noExcess : count.excess(view?.digests ?? noExcess);
      const suspects = new KeySample(suspectsPerPass, random);
      const stored = new Set<string>();
      if (excess.size > 0) {
        const isSuspect = inBuckets(projection, excess);
        await read((page) => {
          const found = page.filter(({ key }) => isSuspect(key));
          suspects.add(found);
          for (const { key } of found) if (stored.size < rowsMax) stored.add(key);
        });
      }
      const keys = [...sample.keys, ...suspects.keys];
      return { rows: count.rows, keys, excess, stored, positions: standingOf(view) };
    });
  }

  /**
   * A key that differs is looked at twice: dead letters that are settled between the two halves of
   * a look make a sound row look wrong, once.
   */
  async #refold(ask: KeyAudit): Promise<boolean> {
    const { drifts } = this.#options;
    const { generation, key } = ask;
    const found = (await auditKey(this.#options, ask)) && (await auditKey(this.#options, ask));
    if (found === undefined) {
      await drifts.clear(generation, key);
      return false;
    }
    const { projection: name, generation: number } = generation;
    const { fields } = found;
    await drifts.note({ projection: name, generation: number, key, kind: kindOf(found), fields });
    return true;
  }

  #tell(
    consumer: string,
    of: {
      readonly rows: number;
      readonly buckets: readonly number[];
      readonly driftedKeys: readonly string[];
      readonly keysTried: number;
    },
  ): void {
    const { metrics, report } = this.#options;
    metrics.count("audit_checked_rows_total", of.rows, { consumer });
    metrics.count("audit_checked_keys_total", of.keysTried, { consumer });
    metrics.gauge("audit_drift_keys", of.driftedKeys.length, { consumer });
    metrics.gauge("audit_drift_buckets", of.buckets.length, { consumer });
    if (of.driftedKeys.length === 0 && of.buckets.length === 0) return;
    const keys = of.driftedKeys.slice(0, 5).join(", ");
    report(
      `${consumer}: ${of.driftedKeys.length} stored rows aren't what the log gives` +
        `${keys === "" ? "" : ` (${keys})`}, and ${of.buckets.length} digests aren't their rows'. ` +
        `Run refold audit ${consumer} to find all, then refold heal, or rebuild.`,
    );
  }
}

const noExcess: ReadonlyMap<number, BucketDigest> = new Map();
