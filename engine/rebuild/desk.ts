import { classify } from "../error-policy.ts";
import type { RebuildRecord } from "../ports/rebuilds.ts";
import type { AnyProjection } from "../projection.ts";
import { isOpenRebuild, openRebuildStates } from "../rebuild-states.ts";
import { canConduct } from "./can-conduct.ts";
import { Conductor } from "./conductor.ts";
import { abandonUnled } from "./end.ts";
import { startNewVersions } from "./new-versions.ts";
import { type RebuildEnvironment, rebuildLimits } from "./options.ts";
import { sweep } from "./sweep.ts";
import { wantsUndo } from "./wants-undo.ts";

export interface RebuildDeskOptions {
  readonly environment: RebuildEnvironment;
  /** What this process has the code of. */
  readonly projections: readonly AnyProjection[];
  /** Does a new version of the code start a rebuild by itself, or wait for an operator's? */
  readonly newVersions: "auto" | "manual";
  /** Of rebuilds that it starts by itself. */
  readonly lagBudgetMs?: number;
  readonly keepMs?: number;
  /** Rebuilds that this process may have at once: one at work, the others waiting for operators. */
  readonly conductedMax?: number;
  /** Looks for something to do at most once in so long. */
  readonly lookMs?: number;
  /** How often generations that nobody needs are looked for. */
  readonly sweepMs?: number;
  /** Told what kept it from looking, or sweeping; it goes on. */
  readonly onFailure?: (error: unknown) => void;
}

interface Conducted {
  readonly conductor: Conductor;
  readonly ended: Promise<void>;
}

const looked = 100;

/**
 * Conducts rebuilds that nobody conducts, where this process has their code: those started over
 * HTTP, those whose conductor has died, those to be undone, those of its own new versions.
 */
export class RebuildDesk {
  readonly #options: RebuildDeskOptions;
  readonly #conducted = new Map<bigint, Conducted>();
  #sweeping: Promise<void> | undefined;
  #sweptAtMs = -Infinity;
  #lookedAtMs = -Infinity;
  /** What nobody may catch. */
  #broken: { readonly error: unknown } | undefined;

  constructor(options: RebuildDeskOptions) {
    this.#options = options;
  }

  /** Rebuilds that this process conducts now. */
  get conducted(): readonly bigint[] {
    return [...this.#conducted.keys()];
  }

  /**
   * Works until `signal` aborts, then gives all leases back. Rejects with what nobody may catch.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { generations, clock } = this.#options.environment;
    const { lookMs = 200 } = this.#options;
    // What fails must end the others, too.
    const ending = new AbortController();
    const both = AbortSignal.any([signal, ending.signal]);
    try {
      for await (const _ of generations.turns(both)) {
        if (this.#broken) throw this.#broken.error;
        // Turns come at least twice a second: one that is passed over is made up for by the next.
        if (clock.monotonicMs() - this.#lookedAtMs < lookMs) continue;
        this.#lookedAtMs = clock.monotonicMs();
        await this.#guarded(() => this.#look(both));
      }
    } finally {
      ending.abort();
      await Promise.all([...this.#conducted.values()].map(({ ended }) => ended));
      await this.#sweeping;
    }
    if (this.#broken) throw this.#broken.error;
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { environment, projections, newVersions, lagBudgetMs = 2_000 } = this.#options;
    const { keepMs = 3_600_000 } = this.#options;
    this.#sweep(signal);
    if (newVersions === "auto") {
      await startNewVersions({ ...environment, projections, lagBudgetMs, keepMs });
    }
    const states = [...openRebuildStates, "swapped"] as const;
    for (const record of await environment.rebuilds.list({ states, limit: looked })) {
      if (record.conductor === undefined) await this.#takeUp(record, signal);
    }
  }

  async #takeUp(record: RebuildRecord, signal: AbortSignal): Promise<void> {
    if (this.#conducted.has(record.id)) return;
    const { environment } = this.#options;
    if (isOpenRebuild(record) && record.wish === "abandon") {
      return abandonUnled(environment, record, rebuildLimits(environment.limits).leaseMs);
    }
    if (!isOpenRebuild(record) && !wantsUndo(record)) return;
    const projection = this.#codeOf(record);
    if (projection === undefined || !this.#hasRoom()) return;
    const conductor = new Conductor({ environment, projection });
    const ended = this.#guarded(() => conductor.conduct(record.id, signal)).then(() => {
      this.#conducted.delete(record.id);
    });
    this.#conducted.set(record.id, { conductor, ended });
  }

  #codeOf(record: RebuildRecord): AnyProjection | undefined {
    return this.#options.projections.find((one) => canConduct(one, record));
  }

  #hasRoom(): boolean {
    const { conductedMax = 8 } = this.#options;
    const all = [...this.#conducted.values()];
    return all.length < conductedMax && all.every(({ conductor }) => conductor.idle);
  }

  #sweep(signal: AbortSignal): void {
    const { environment, sweepMs = 5_000 } = this.#options;
    const nowMs = environment.clock.monotonicMs();
    if (this.#sweeping !== undefined || nowMs - this.#sweptAtMs < sweepMs) return;
    this.#sweptAtMs = nowMs;
    this.#sweeping = this.#guarded(() => sweep(environment, signal)).then(() => {
      this.#sweeping = undefined;
    });
  }

  async #guarded(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (classify(error) === "rethrow") this.#broken ??= { error };
      else this.#options.onFailure?.(error);
    }
  }
}
