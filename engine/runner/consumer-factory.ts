import { noProbe } from "../crash-points.ts";
import type { Metrics } from "../ports/metrics.ts";
import { noMetrics } from "../ports/metrics.ts";
import type { Generation } from "../ports/read-model-store.ts";
import type { TopicInfo } from "../ports/record-log.ts";
import type { AnyProcessor } from "../processor.ts";
import type { AnyProjection } from "../projection.ts";
import type { TaskStore } from "../task/batch.ts";
import { processorLimits, projectionLimits, taskLimits, type TaskLimits } from "../task/limits.ts";
import { type Pipeline, processorPipeline, projectionPipeline } from "../task/pipeline.ts";
import { processorModelOf, ProcessorTaskStore } from "../task/processor-task-store.ts";
import { ProjectionStore, readModelOf } from "../task/projection-store.ts";
import { Task } from "../task/task.ts";
import { tracedTask } from "../tracing/traced-task.ts";
import type { AnyTopic } from "../topic.ts";
import { Claims } from "./claims.ts";
import { Consumer } from "./consumer.ts";
import { groupOf, type LiveConsumer } from "./live-consumer.ts";
import type { RunOptions } from "./options.ts";
import { type Duty, RoleMetrics } from "./role-metrics.ts";
import { TopicHub } from "./topic-hub.ts";

interface Prepared {
  readonly pipeline: Pipeline;
  readonly store: TaskStore;
  readonly generation: number | undefined;
  readonly duty: Duty;
  readonly metrics: Metrics;
}

/** Makes definitions ready to run: stores opened, topics there, the assignment's group joined. */
export class ConsumerFactory {
  readonly #options: RunOptions;
  readonly #limits: Readonly<Record<Pipeline["kind"], TaskLimits>>;
  readonly #metrics: Metrics;
  readonly #topics = new Map<string, Promise<TopicInfo>>();
  readonly #hubs = new Map<string, TopicHub>();
  /** Ends waiting between tries, in all that is made here. */
  readonly #signal: AbortSignal;

  constructor(options: RunOptions, signal: AbortSignal) {
    this.#options = options;
    this.#limits = {
      projection: taskLimits({ ...projectionLimits, ...options.limits }),
      processor: taskLimits({ ...processorLimits, ...options.limits }),
    };
    this.#metrics = options.metrics ?? noMetrics;
    this.#signal = signal;
  }

  /** One for each topic that was read so far. */
  get hubs(): readonly TopicHub[] {
    return [...this.#hubs.values()];
  }

  /** The projection's generation that code of its version keeps; the first one is made here. */
  open(projection: AnyProjection): Promise<Generation> {
    return this.#options.readModels.open(readModelOf(projection));
  }

  /**
   * A consumer of one generation, not running yet. A generation that serves must be open.
   */
  async projection(
    projection: AnyProjection,
    generation: Generation,
    role: Duty["role"],
  ): Promise<LiveConsumer> {
    const { codec, readModels: store } = this.#options;
    const notify = projection.kind === "events" ? projection.notify : undefined;
    if (notify) await codec.prepare(notify.to);
    const duty: Duty = { role };
    const options = { ...this.#pipelineOptions("projection"), generation: generation.generation };
    return this.#consumer({
      pipeline: projectionPipeline(projection, options),
      store: new ProjectionStore({ projection, generation, store, codec }),
      generation: generation.generation,
      duty,
      metrics: new RoleMetrics(this.#metrics, duty),
    });
  }

  async processor(processor: AnyProcessor): Promise<LiveConsumer> {
    const { processorStore: store, decider, probe = noProbe, plansMax = 8 } = this.#options;
    if (!store || !decider) throw new TypeError("run: processors need processorStore and decider.");
    await store.open(processorModelOf(processor));
    const metrics = this.#metrics;
    return this.#consumer({
      pipeline: processorPipeline(processor, this.#pipelineOptions("processor")),
      store: new ProcessorTaskStore({ processor, store, decider, metrics, probe, plansMax }),
      generation: undefined,
      duty: { role: "serving" },
      metrics,
    });
  }

  /** Records are set aside where there is a place for them, and halt their partition otherwise. */
  #pipelineOptions(kind: Pipeline["kind"]) {
    const { codec, deadLetters } = this.#options;
    const onRecordError = deadLetters ? "park" : "halt";
    return { codec, limits: this.#limits[kind], onRecordError } as const;
  }

  async #consumer(prepared: Prepared): Promise<LiveConsumer> {
    const { pipeline, store, generation, duty, metrics } = prepared;
    const { log, clock, random, load, assignment, deadLetters, probe = noProbe } = this.#options;
    const limits = this.#limits[pipeline.kind];
    const { backoff } = limits;
    const topics = await Promise.all(pipeline.topics.map((topic) => this.#topic(topic)));
    const { tracer } = this.#options;
    const traced = tracedTask({ store, consumer: pipeline.name, tracer, clock });
    const shared = { ...traced, clock, random, load, signal: this.#signal, deadLetters };
    const task = new Task({ ...shared, pipeline, metrics, probe, limits });
    const claims = new Claims({ ...shared, log, topics, backoff });
    const group = groupOf(pipeline.name, generation);
    const membership = await assignment.join(group, topics[0]?.partitions ?? 0);
    const hubs = topics.map(({ name }) => ({ topic: name, hub: this.#hub(name) }));
    const { recoverAfterMs = 5_000, generations, holdMaxMs } = this.#options;
    const consumer = new Consumer({
      task,
      claims,
      membership,
      hubs,
      clock,
      metrics,
      recoverAfterMs,
      ...(generations ? { stand: generations.stand.bind(generations) } : {}),
      ...(holdMaxMs === undefined ? {} : { holdMaxMs }),
    });
    const { kind } = pipeline;
    const names = topics.map(({ name }) => name);
    return { consumer, task, kind, generation, topics: names, duty, after: undefined };
  }

  /** Asked once for all who read it; a failure is asked again. */
  #topic(topic: AnyTopic): Promise<TopicInfo> {
    const known = this.#topics.get(topic.name);
    if (known) return known;
    const asked = this.#ensured(topic);
    this.#topics.set(topic.name, asked);
    asked.catch(() => this.#topics.delete(topic.name));
    return asked;
  }

  #ensured(topic: AnyTopic): Promise<TopicInfo> {
    const { name, partitions } = topic;
    const retention = topic.kind === "events" && topic.retentionMs !== undefined;
    const spec = retention ? { retentionMs: topic.retentionMs } : {};
    return this.#options.log.ensureTopic({ name, partitions, ...spec });
  }

  #hub(topic: string): TopicHub {
    const known = this.#hubs.get(topic);
    if (known) return known;
    const { log, clock, random, fetchBytesMax = 1024 * 1024, fetchesMax = 4 } = this.#options;
    const { backoff } = this.#limits.projection;
    const hub = new TopicHub({ topic, log, clock, random, backoff, fetchBytesMax, fetchesMax });
    this.#hubs.set(topic, hub);
    return hub;
  }
}
