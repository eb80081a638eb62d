import { noProbe } from "../crash-points.ts";
import type { Metrics } from "../ports/metrics.ts";
import { noMetrics } from "../ports/metrics.ts";
import type { Generation } from "../ports/read-model-store.ts";
import type { TopicInfo } from "../ports/record-log.ts";
import type { AnyProcessor } from "../processor.ts";
import type { AnyProjection } from "../projection.ts";
import type { TaskStore } from "../task/batch.ts";
import { taskLimits, type TaskLimits } from "../task/limits.ts";
import { type Pipeline, processorPipeline, projectionPipeline } from "../task/pipeline.ts";
import { processorModelOf, ProcessorTaskStore } from "../task/processor-task-store.ts";
import { ProjectionStore, readModelOf } from "../task/projection-store.ts";
import { Task } from "../task/task.ts";
import type { AnyTopic } from "../topic.ts";
import { Claims } from "./claims.ts";
import { Consumer } from "./consumer.ts";
import { LetterDesk } from "./letter-desk.ts";
import { Monitor, type Watched } from "./monitor.ts";
import { assertRunOptions, type RunOptions } from "./options.ts";
import { Runner } from "./runner.ts";
import { TopicHub } from "./topic-hub.ts";

/**
 * Opens the stores and sets everything to work: every definition on the partitions that the
 * assignment gives this process. Resolves once all have joined; catching up goes on behind it.
 *
 * @throws TypeError for options that don't fit; FatalError `version-differs`, `columns-differ`,
 * `partitions-differ`; TransientError when a store or the log can't be reached.
 */
export async function run(options: RunOptions): Promise<Runner> {
  assertRunOptions(options);
  const start = new Start(options);
  for (const projection of options.projections ?? []) await start.projection(projection);
  for (const processor of options.processors ?? []) await start.processor(processor);
  return start.runner();
}

interface Prepared {
  readonly pipeline: Pipeline;
  readonly store: TaskStore;
  readonly generation: number | undefined;
}

class Start {
  readonly #options: RunOptions;
  readonly #limits: TaskLimits;
  readonly #metrics: Metrics;
  readonly #topics = new Map<string, TopicInfo>();
  readonly #hubs = new Map<string, TopicHub>();
  readonly #consumers: Consumer[] = [];
  readonly #watched: Watched[] = [];
  readonly #ending = new AbortController();

  constructor(options: RunOptions) {
    this.#options = options;
    this.#limits = taskLimits(options.limits);
    this.#metrics = options.metrics ?? noMetrics;
  }

  async projection(projection: AnyProjection): Promise<void> {
    const { codec, readModels } = this.#options;
    const generation: Generation = await readModels.open(readModelOf(projection));
    const notify = projection.kind === "events" ? projection.notify : undefined;
    if (notify) await codec.prepare(notify.to);
    await this.#add({
      pipeline: projectionPipeline(projection, {
        ...this.#pipelineOptions(),
        generation: generation.generation,
      }),
      store: new ProjectionStore({ projection, generation, store: readModels, codec }),
      generation: generation.generation,
    });
  }

  async processor(processor: AnyProcessor): Promise<void> {
    const { processorStore: store, decider, probe = noProbe, plansMax = 8 } = this.#options;
    if (!store || !decider) throw new TypeError("run: processors need processorStore and decider.");
    await store.open(processorModelOf(processor));
    const metrics = this.#metrics;
    await this.#add({
      pipeline: processorPipeline(processor, this.#pipelineOptions()),
      store: new ProcessorTaskStore({ processor, store, decider, metrics, probe, plansMax }),
      generation: undefined,
    });
  }

  runner(): Runner {
    const { log, clock, random, statusBoard, instance, observeIntervalMs } = this.#options;
    const monitor = new Monitor({
      watched: this.#watched,
      log,
      clock,
      metrics: this.#metrics,
      statusBoard,
      instance: instance ?? random.id(),
      intervalMs: observeIntervalMs ?? 1_000,
      signal: this.#ending.signal,
    });
    const { deadLetters, lettersPollMs: intervalMs = 500 } = this.#options;
    const { signal } = this.#ending;
    const consumers = this.#consumers;
    const letters = { deadLetters, consumers, clock, metrics: this.#metrics, intervalMs, signal };
    return new Runner({
      consumers,
      hubs: [...this.#hubs.values()],
      monitor,
      ...(deadLetters ? { letterDesk: new LetterDesk({ ...letters, deadLetters }) } : {}),
      ending: this.#ending,
    });
  }

  /** Records are set aside where there is a place for them, and halt their partition otherwise. */
  #pipelineOptions() {
    const { codec, deadLetters } = this.#options;
    const onRecordError = deadLetters ? "park" : "halt";
    return { codec, limits: this.#limits, onRecordError } as const;
  }

  async #add({ pipeline, store, generation }: Prepared): Promise<void> {
    const { log, clock, random, assignment, deadLetters, probe = noProbe } = this.#options;
    const { backoff } = this.#limits;
    const { signal } = this.#ending;
    const topics: TopicInfo[] = [];
    for (const topic of pipeline.topics) topics.push(await this.#topic(topic));
    const shared = { store, clock, random, signal, deadLetters };
    const metrics = this.#metrics;
    const task = new Task({ ...shared, pipeline, metrics, probe, limits: this.#limits });
    const claims = new Claims({ ...shared, log, topics, backoff });
    const membership = await assignment.join(pipeline.name, topics[0]?.partitions ?? 0);
    const hubs = topics.map(({ name }) => ({ topic: name, hub: this.#hub(name) }));
    const { recoverAfterMs = 5_000 } = this.#options;
    const consumer = { task, claims, membership, hubs, clock, metrics, recoverAfterMs };
    this.#consumers.push(new Consumer(consumer));
    const { kind } = pipeline;
    this.#watched.push({ task, kind, generation, topics: topics.map(({ name }) => name) });
  }

  async #topic(topic: AnyTopic): Promise<TopicInfo> {
    const known = this.#topics.get(topic.name);
    if (known) return known;
    const { name, partitions } = topic;
    const retention = topic.kind === "events" && topic.retentionMs !== undefined;
    const spec = retention ? { retentionMs: topic.retentionMs } : {};
    const info = await this.#options.log.ensureTopic({ name, partitions, ...spec });
    this.#topics.set(name, info);
    return info;
  }

  #hub(topic: string): TopicHub {
    const known = this.#hubs.get(topic);
    if (known) return known;
    const { log, clock, random, fetchBytesMax = 1024 * 1024, fetchesMax = 4 } = this.#options;
    const { backoff } = this.#limits;
    const hub = new TopicHub({ topic, log, clock, random, backoff, fetchBytesMax, fetchesMax });
    this.#hubs.set(topic, hub);
    return hub;
  }
}
