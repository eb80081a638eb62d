import { classify, reasonOf } from "../error-policy.ts";
import { TransientError } from "../errors.ts";
import { columnsDiffer } from "../generation-faults.ts";
import type { Clock } from "../ports/clock.ts";
import type { GenerationInfo, Generations } from "../ports/generations.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { Generation } from "../ports/read-model-store.ts";
import type { AnyProjection } from "../projection.ts";
import { columnDifference } from "../stored-row.ts";
import { storedColumns } from "../task/pipeline.ts";
import type { ConsumerFactory } from "./consumer-factory.ts";
import type { Consumers } from "./consumers.ts";
import type { HealDesk } from "./heal-desk.ts";
import type { Duty } from "./role-metrics.ts";

export interface GenerationWatchOptions {
  readonly generations: Generations;
  readonly projections: readonly AnyProjection[];
  readonly consumers: Consumers;
  readonly factory: Pick<ConsumerFactory, "open" | "projection">;
  /** Without it, heals are left to other processes. */
  readonly healDesk: HealDesk | undefined;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Time after which the turns are followed anew when they have failed. */
  readonly retryAfterMs: number;
  readonly signal: AbortSignal;
}

/** A generation that this process works on, and what for. */
interface Wanted {
  readonly info: GenerationInfo;
  readonly role: Duty["role"];
}

/**
 * Keeps the consumers of a process at what its projections' generations are: one for each of the
 * definition's version that serves or is kept, and none for any other. Passes on who is held, and
 * which rows are to be healed.
 */
export class GenerationWatch {
  readonly #options: GenerationWatchOptions;
  readonly #waiting = new Map<string, string>();

  constructor(options: GenerationWatchOptions) {
    this.#options = options;
  }

  /** Why nothing serves from this process, by projection. */
  get waiting(): ReadonlyMap<string, string> {
    return this.#waiting;
  }

  /** Until the signal aborts; rejects only with what nobody may catch. */
  async run(): Promise<void> {
    const { generations, signal, clock, retryAfterMs, metrics } = this.#options;
    while (!signal.aborted) {
      try {
        for await (const _ of generations.turns(signal)) await this.#look(this.#later);
      } catch (error) {
        if (classify(error) === "rethrow") throw error;
        metrics.count("generation_watch_failures_total", 1);
        await clock.sleep(retryAfterMs, signal);
      }
    }
  }

  /**
   * The first look, at the start.
   *
   * @param opened What was opened for it, a moment ago.
   * @throws what kept a consumer from being made.
   */
  async begin(opened: readonly Generation[]): Promise<void> {
    await this.#look((_, error) => {
      throw error;
    }, opened);
  }

  /**
   * Brings the consumers to what is true now. Holds come first: whoever asks for one waits for it,
   * and so do all who work on what is held.
   */
  async #look(
    onFault: (projection: AnyProjection, error: unknown) => void,
    opened: readonly Generation[] = [],
  ): Promise<void> {
    const { generations, consumers, projections, healDesk, signal } = this.#options;
    const holds = await generations.holds();
    consumers.hold(holds);
    const all = await generations.list();
    if (signal.aborted) return;
    const brought = projections.map(async (projection) => {
      const infos = all.filter((info) => info.projection === projection.name);
      const wanted = infos.flatMap((info) => wantedOf(projection, info));
      this.#tellWaiting(projection, infos);
      for (const one of this.#missing(projection, wanted)) {
        const isOpen = opened.some((known) => sameGeneration(known, one.info));
        const begun = isOpen ? this.#begin(projection, one) : this.#beginOpened(projection, one);
        await begun.catch((error: unknown) => onFault(projection, error));
        // A new consumer must not take a record while its generation is held.
        consumers.hold(holds);
      }
      this.#settle(projection, wanted);
    });
    await Promise.all(brought);
    healDesk?.look();
  }

  /** The next turn tries again; the other projections go on meanwhile. */
  readonly #later = ({ name }: AnyProjection, error: unknown): void => {
    if (classify(error) === "rethrow") throw error;
    this.#options.metrics.count("generation_watch_failures_total", 1);
    this.#waiting.set(name, reasonOf(error));
  };

  /** What is to begin, what serves before the others. */
  #missing({ name }: AnyProjection, wanted: readonly Wanted[]): Wanted[] {
    const { consumers } = this.#options;
    return wanted
      .filter(({ info }) => consumers.find(name, info.generation) === undefined)
      .filter(({ info }) => !consumers.isEnding(name, info.generation))
      .sort((one, other) => orderOf(one) - orderOf(other));
  }

  /**
   * Gives roles, and ends what isn't wanted any more. Only when what serves now is there: until then
   * the one before speaks for the projection.
   */
  #settle({ name }: AnyProjection, wanted: readonly Wanted[]): void {
    const { consumers } = this.#options;
    const missing = wanted.some(
      ({ info, role }) => role === "serving" && !consumers.find(name, info.generation),
    );
    for (const live of consumers.of(name)) {
      const found = wanted.find(({ info }) => info.generation === live.generation);
      if (!found) void consumers.retire(live);
      else if (!missing || found.role === "serving") live.duty.role = found.role;
    }
  }

  async #beginOpened(projection: AnyProjection, wanted: Wanted): Promise<void> {
    if (wanted.role === "serving") await this.#open(projection, wanted.info);
    await this.#begin(projection, wanted);
  }

  async #begin(projection: AnyProjection, { info, role }: Wanted): Promise<void> {
    const { consumers, factory } = this.#options;
    const before = consumers.of(projection.name).at(-1);
    const live = await factory.projection(projection, info, role);
    if (role === "serving" && before) {
      live.after = before;
      before.duty.role = "kept";
    }
    consumers.add(live);
  }

  /** Stores that follow what serves learn of it so. */
  async #open(projection: AnyProjection, { generation }: GenerationInfo): Promise<void> {
    const opened = await this.#options.factory.open(projection);
    if (opened.generation === generation) return;
    const message = `Generation ${opened.generation} of ${projection.name} serves by now.`;
    throw new TransientError("generation-moved", message);
  }

  #tellWaiting(projection: AnyProjection, infos: readonly GenerationInfo[]): void {
    const reason = waitingReason(projection, infos);
    if (reason === undefined) this.#waiting.delete(projection.name);
    else this.#waiting.set(projection.name, reason);
  }
}

const sameGeneration = (one: Generation, other: Generation): boolean =>
  one.projection === other.projection && one.generation === other.generation;

const orderOf = ({ role }: Wanted): number => (role === "serving" ? 0 : 1);

function wantedOf(projection: AnyProjection, info: GenerationInfo): Wanted[] {
  if (info.version !== projection.version) return [];
  if (info.role !== "serving" && info.role !== "kept") return [];
  if (columnDifference(info.columns, storedColumns(projection)) !== undefined) return [];
  return [{ info, role: info.role }];
}

function waitingReason(
  projection: AnyProjection,
  infos: readonly GenerationInfo[],
): string | undefined {
  const { name, version }: { readonly name: string; readonly version: number } = projection;
  const serving = infos.find(({ role }) => role === "serving");
  if (serving === undefined) return `Projection ${name} has no generation that serves yet.`;
  if (serving.version === version) {
    const difference = columnDifference(serving.columns, storedColumns(projection));
    return difference === undefined
      ? undefined
      : columnsDiffer({ projection: name, version }, difference).message;
  }
  const serves = `Version ${serving.version} serves (generation ${serving.generation})`;
  if (serving.version > version) {
    return `${serves}, and this code has version ${version}: newer code has taken over.`;
  }
  const next = `It works on none until a rebuild has made one of version ${version}.`;
  return `${serves}, and this code has version ${version}. ${next}`;
}
