import { FatalError } from "../errors.ts";
import type { Offset } from "../position.ts";
import type { GenerationInfo } from "../ports/generations.ts";
import type { RebuildChange, RebuildRecord } from "../ports/rebuilds.ts";
import type { AnyProjection } from "../projection.ts";
import { type Cuts, endsOf, placeOf } from "../replay/cuts.ts";
import { Replay } from "../replay/replay.ts";
import { topicsOf } from "../task/pipeline.ts";
import { noRebuildProbe, type RebuildCrashPoint } from "./crash-points.ts";
import type { Lease } from "./lease.ts";
import { discardedLetters, editedValues } from "./letters.ts";
import { type RebuildEnvironment, type RebuildLimits, rebuildLimits } from "./options.ts";
import { Progress } from "./progress.ts";

export interface JourneyOptions {
  readonly environment: RebuildEnvironment;
  readonly projection: AnyProjection;
  readonly lease: Lease;
}

/**
 * One rebuild under one conductor: what its steps share. Everything that must outlive the process
 * is in the stores; here are the lease, the replay at work, and what is told.
 */
export class Journey {
  readonly environment: RebuildEnvironment;
  readonly projection: AnyProjection;
  readonly limits: RebuildLimits;
  readonly progress: Progress;
  /** It waits for an operator. */
  idle = false;
  /** Aborts when the step at hand should end: the lease is over, or something else is wished. */
  signal: AbortSignal;
  readonly #lease: Lease;
  #replay: { readonly generation: number; readonly at: Replay } | undefined;

  constructor({ environment, projection, lease }: JourneyOptions) {
    this.environment = environment;
    this.projection = projection;
    this.limits = rebuildLimits(environment.limits);
    this.#lease = lease;
    this.signal = lease.interruption();
    this.progress = new Progress({
      clock: environment.clock,
      intervalMs: this.limits.progressMs,
      note: (progress) => this.note({ progress }),
      before: lease.record.progress,
    });
  }

  get record(): RebuildRecord {
    return this.#lease.record;
  }

  /** Somebody else conducts, or the process stops. */
  get over(): boolean {
    return this.#lease.over;
  }

  /** Looks at the record anew, and begins a step with a signal of its own. */
  async turn(): Promise<RebuildRecord> {
    const record = await this.#lease.look();
    this.signal = this.#lease.interruption();
    return record;
  }

  at(point: RebuildCrashPoint): void {
    (this.environment.probe ?? noRebuildProbe).at(point);
  }

  note(change: RebuildChange): Promise<void> {
    return this.#lease.note(change);
  }

  /** Pauses for a while, or until the lease is over. */
  async pause(ms: number): Promise<void> {
    await this.environment.clock.sleep(ms, this.#lease.overSignal);
  }

  /** Until something else is wished, or the lease is over. */
  async untilAsked(): Promise<void> {
    const { signal } = this;
    if (signal.aborted) return;
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  }

  async serving(): Promise<GenerationInfo> {
    const builds = await this.environment.generations.list(this.projection.name);
    const serving = builds.find(({ role }) => role === "serving");
    if (serving) return serving;
    const message = `No generation of ${this.projection.name} serves.`;
    throw new FatalError("never-built", message, "Start a process that runs it.");
  }

  /** One of the projection's generations, in whatever role; undefined: it is gone. */
  async generation(number: number | undefined): Promise<GenerationInfo | undefined> {
    const builds = await this.environment.generations.list(this.projection.name);
    return builds.find(({ generation }) => generation === number);
  }

  /** @throws FatalError `shadow-gone` when somebody has retired it. */
  async shadow(): Promise<GenerationInfo> {
    const shadow = await this.generation(this.record.shadow);
    if (shadow?.role === "building") return shadow;
    throw new FatalError(
      "shadow-gone",
      `Generation ${this.record.shadow} of ${this.projection.name}, which this rebuild fills, is ` +
        `${shadow === undefined ? "gone" : shadow.role}.`,
      "Start the rebuild again.",
    );
  }

  /** The replay that fills a generation; begun when it is asked for first. */
  async replay(of: GenerationInfo): Promise<Replay> {
    if (this.#replay?.generation === of.generation) return this.#replay.at;
    await this.dropReplay();
    const { environment, projection, limits } = this;
    const { readModels, log, codec, clock, random, metrics, deadLetters } = environment;
    const at = await Replay.begin({
      projection,
      generation: of,
      store: readModels,
      log,
      codec,
      clock,
      random,
      consumer: `${projection.name}~shadow`,
      discarded: await discardedLetters(deadLetters, projection.name),
      edited: await editedValues(deadLetters, projection.name),
      fetchBytesMax: limits.fetchBytesMax,
      ...(metrics ? { metrics } : {}),
    });
    this.#replay = { generation: of.generation, at };
    if (of.generation === this.record.shadow) await this.#assertBeginsAsPlanned(of, at);
    return at;
  }

  /**
   * A partition of which nothing is applied begins wherever the log begins: retention may have moved
   * that since the plan was made, and nobody would see what is missing.
   */
  async #assertBeginsAsPlanned(shadow: GenerationInfo, replay: Replay): Promise<void> {
    const begins = replay.positions();
    const partitions = this.record.plan?.partitions ?? [];
    for (const one of await this.environment.readModels.positions(shadow)) {
      const begin = begins.get(placeOf(one));
      const planned = partitions.find((of) => placeOf(of) === placeOf(one));
      if (one.position !== undefined || begin === undefined || planned === undefined) continue;
      if (begin <= planned.from) continue;
      throw new FatalError(
        "history-gone",
        `Retention has taken offsets ${planned.from} to ${begin - 1n} of ${placeOf(one)} before ` +
          "the rebuild has read them.",
        "Start it again: it begins from a snapshot, or tells what is left.",
      );
    }
  }

  /** What it had in memory is void; the next one goes on from what is stored. */
  async dropReplay(): Promise<void> {
    const replay = this.#replay;
    this.#replay = undefined;
    await replay?.at[Symbol.asyncDispose]();
  }

  /**
   * Where a shadow may go: to what another generation has applied, and to the end of topics that
   * only the shadow reads.
   */
  async target(of: GenerationInfo): Promise<Cuts> {
    const { readModels, log } = this.environment;
    const applied = new Map<string, Offset>();
    const read = new Set<string>();
    for (const one of await readModels.positions(of)) {
      read.add(one.topic);
      if (one.position) applied.set(placeOf(one), one.position.nextOffset);
    }
    const others = topicsOf(this.projection).filter(({ name }) => !read.has(name));
    return new Map([...applied, ...(await endsOf(log, others))]);
  }

  /** Everything that the log holds. */
  ends(): Promise<Cuts> {
    return endsOf(this.environment.log, topicsOf(this.projection));
  }
}

/** Records between what a replay has and where it should be. */
export function distance(from: Cuts, to: Cuts): number {
  let records = 0;
  for (const [place, at] of from) {
    const cut = to.get(place);
    if (cut !== undefined && cut > at) records += Number(cut - at);
  }
  return records;
}
