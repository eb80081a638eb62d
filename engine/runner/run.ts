import { DeadlineDesk } from "../effects/deadline-desk.ts";
import { EffectRunner, type EffectWork } from "../effects/effect-runner.ts";
import { FatalError } from "../errors.ts";
import { noMetrics } from "../ports/metrics.ts";
import type { Generation } from "../ports/read-model-store.ts";
import type { Tracer } from "../ports/tracing.ts";
import type { AnyProjection } from "../projection.ts";
import { tracedPerformer } from "../tracing/traced-performer.ts";
import { ConsumerFactory } from "./consumer-factory.ts";
import { Consumers } from "./consumers.ts";
import { GenerationWatch } from "./generation-watch.ts";
import { HealDesk } from "./heal-desk.ts";
import { LetterDesk } from "./letter-desk.ts";
import { Monitor } from "./monitor.ts";
import { assertRunOptions, type RunOptions } from "./options.ts";
import { Runner } from "./runner.ts";

/**
 * Opens the stores and sets everything to work: every definition on the partitions that the
 * assignment gives this process. Resolves once all have joined; catching up goes on behind it.
 *
 * @throws TypeError and RangeError for options that don't fit; FatalError `columns-differ`, `partitions-differ`,
 * and, without `generations`, `version-differs`; TransientError when a store or the log can't be
 * reached.
 */
export async function run(options: RunOptions): Promise<Runner> {
  assertRunOptions(options);
  const start = new Start(options);
  await start.consumers();
  return start.runner();
}

class Start {
  readonly #options: RunOptions;
  readonly #factory: ConsumerFactory;
  readonly #consumers = new Consumers();
  readonly #watch: GenerationWatch | undefined;
  readonly #ending = new AbortController();
  readonly #watching = new AbortController();

  constructor(options: RunOptions) {
    this.#options = options;
    this.#factory = new ConsumerFactory(options, this.#ending.signal);
    this.#watch = this.#generationWatch();
  }

  /** One beside the other: each waits for the stores several times. */
  async consumers(): Promise<void> {
    const { projections = [], processors = [] } = this.#options;
    const [made] = await Promise.all([
      Promise.all(processors.map((processor) => this.#factory.processor(processor))),
      this.#projections(projections),
    ]);
    for (const live of made) this.#consumers.add(live);
  }

  async #projections(projections: readonly AnyProjection[]): Promise<void> {
    if (this.#watch) {
      const opened = await Promise.all(projections.map((projection) => this.#first(projection)));
      // It looks at all of them, which have their first generation now.
      await this.#watch.begin(opened.flatMap((generation) => generation ?? []));
      return;
    }
    const made = projections.map(async (projection) => {
      const generation = await this.#factory.open(projection);
      return this.#factory.projection(projection, generation, "serving");
    });
    for (const live of await Promise.all(made)) this.#consumers.add(live);
  }

  runner(): Runner {
    const { log, clock, random, statusBoard, instance, observeIntervalMs } = this.#options;
    const { metrics = noMetrics, projections = [], processors = [] } = this.#options;
    const { signal } = this.#ending;
    const consumers = this.#consumers;
    const monitor = new Monitor({
      watched: () => consumers.all,
      log,
      clock,
      metrics,
      statusBoard,
      instance: instance ?? random.id(),
      intervalMs: observeIntervalMs ?? 1_000,
      signal,
    });
    const { deadLetters, lettersPollMs: intervalMs = 500 } = this.#options;
    const letters = { deadLetters, consumers, clock, metrics, intervalMs, signal };
    return new Runner({
      names: [...projections, ...processors].map(({ name }) => name),
      consumers,
      factory: this.#factory,
      monitor,
      ...(this.#watch ? { watch: this.#watch } : {}),
      ...(deadLetters ? { letterDesk: new LetterDesk({ ...letters, deadLetters }) } : {}),
      ...this.#outside(),
      ending: this.#ending,
      watching: this.#watching,
    });
  }

  /** Who performs effects and waits for deadlines, where that is wanted here. */
  #outside(): { readonly effects?: EffectRunner; readonly deadlines?: DeadlineDesk } {
    const {
      effects,
      deadlines,
      decider,
      clock,
      random,
      probe,
      metrics = noMetrics,
      tracer,
    } = this.#options;
    if (!decider) return {};
    const shared = { decider, wakeUps: decider.wakeUps, clock, random, metrics, probe };
    return {
      ...(effects
        ? { effects: new EffectRunner({ ...shared, work: tracedWork(effects, tracer) }) }
        : {}),
      ...(deadlines ? { deadlines: new DeadlineDesk({ ...shared, work: deadlines }) } : {}),
    };
  }

  /** Makes the very first generation; one of another version is nobody's fault. */
  async #first(projection: AnyProjection): Promise<Generation | undefined> {
    try {
      return await this.#factory.open(projection);
    } catch (error) {
      if (!(error instanceof FatalError) || error.code !== "version-differs") throw error;
      return undefined;
    }
  }

  #generationWatch(): GenerationWatch | undefined {
    const { generations, heal, clock, metrics = noMetrics, projections = [] } = this.#options;
    if (!generations) return undefined;
    const consumers = this.#consumers;
    const { signal } = this.#watching;
    const shared = { generations, projections, consumers, metrics, signal };
    const healDesk = heal && new HealDesk({ ...shared, ...heal });
    const retryAfterMs = 500;
    return new GenerationWatch({
      ...shared,
      factory: this.#factory,
      healDesk,
      clock,
      retryAfterMs,
    });
  }
}

const tracedWork = (work: EffectWork, tracer: Tracer | undefined): EffectWork => ({
  ...work,
  performers: work.performers.map((performer) => tracedPerformer(performer, tracer)),
});
