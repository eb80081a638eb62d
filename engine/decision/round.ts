import { InvariantViolation, RecordError } from "../errors.ts";
import { partitionOf } from "../partitioner.ts";
import type { Random } from "../ports/clock.ts";
import type { EventCodec } from "../ports/codec.ts";
import type { NewEvent } from "../ports/event-store.ts";
import type { EventTopic } from "../topic.ts";
import { childTraceparent, spanIdOf } from "../tracing/trace-context.ts";
import {
  type CommandCall,
  type Decision,
  type DecisionContext,
  type Fact,
  followingCalls,
  type FollowUps,
  type ModelOf,
} from "./definition.ts";
import { idSource, type IdSource } from "./event-ids.ts";
import { Group, type CallToDecide, type DecidedCall, type PlacedFact } from "./group.ts";
import type { KnownModel } from "./known-model.ts";
import type { ModelCache } from "./model-cache.ts";
import type { Origin } from "./outcome.ts";
import { tagsOf } from "./tags.ts";

/** How often `readsMore` may name something new: a bound on definitions that never end. */
const readsMoreMax = 8;

export interface RoundOptions {
  readonly models: ModelCache;
  readonly codec: EventCodec;
  readonly random: Random;
  /** Names of topics whose events can be encoded. */
  readonly prepared: ReadonlySet<string>;
  /** The store's clock as it was last seen. */
  readonly nowMs: number;
  readonly requests: "independent" | "one-per-round";
}

/** What a round lacks: it is got, and the round begins again. */
export interface Lacking {
  readonly models: ReadonlySet<KnownModel>;
  readonly topics: ReadonlySet<EventTopic>;
}

export interface Round {
  readonly groups: readonly Group[];
  /** Calls whose definition failed, by index. */
  readonly failed: ReadonlyMap<number, unknown>;
  readonly lacking: Lacking | undefined;
}

/**
 * The models that calls read at first and that aren't known: got before the round, they spare it to
 * be begun twice. What calls read behind these, and what follows them, the round itself tells.
 */
export function unknownModels(
  calls: readonly CallToDecide[],
  models: ModelCache,
): ReadonlySet<KnownModel> {
  const unknown = new Set<KnownModel>();
  for (const { call, conflicts = 0 } of calls) {
    for (const of of firstReads(call)) {
      if (conflicts === 0 && of.expected === "nothing") continue;
      const model = models.entry(of);
      if (model.stale) unknown.add(model);
    }
  }
  return unknown;
}

/** What a definition throws is told by the round. */
function firstReads({ command, input }: CommandCall): readonly ModelOf[] {
  try {
    return Object.values((command as unknown as AnyCommand).reads(input));
  } catch {
    return [];
  }
}

/**
 * Decides calls one after the other in memory: each sees the facts of those before it. Nothing
 * outside changes, so that a round can be given up and begun again.
 *
 * What lacks something keeps back neither the calls after it nor those that follow them: all is
 * decided as far as it goes, so that one look tells what all of them lack. Otherwise a round of
 * calls that each are followed by another would be begun again for each of them.
 */
export function decideRound(calls: readonly CallToDecide[], options: RoundOptions): Round {
  const tentative = new Tentative(options);
  for (const [index, call] of calls.entries()) tentative.decide(index, call);
  return tentative.result();
}

interface Touched {
  state: unknown;
  readonly group: Group;
}

/** States as the facts of the round would leave them. */
class Tentative {
  readonly #options: RoundOptions;
  readonly #touched = new Map<KnownModel, Touched>();
  readonly #touchedByTag = new Map<string, KnownModel[]>();
  readonly #factsByTag = new Map<string, GroupedFact[]>();
  readonly #groups: Group[] = [];
  readonly #failed = new Map<number, unknown>();
  readonly #lackingModels = new Set<KnownModel>();
  readonly #lackingTopics = new Set<EventTopic>();

  constructor(options: RoundOptions) {
    this.#options = options;
  }

  decide(index: number, asked: CallToDecide): void {
    const ids = idSource(asked.origin.seed, this.#options.random);
    const group = this.#groupOfCall();
    try {
      const decided = this.#decide(asked, { index, ids, group });
      if (decided) group.root().calls.push(decided);
    } catch (error) {
      // What lacks something is decided on less than there is: only the last time counts.
      if (error instanceof InvariantViolation && !this.#lacks) throw error;
      this.#failed.set(index, error);
    }
  }

  #groupOfCall(): Group {
    const [first] = this.#groups;
    if (first && this.#options.requests === "one-per-round") return first;
    const made = new Group();
    this.#groups.push(made);
    return made;
  }

  get #lacks(): boolean {
    return this.#lackingModels.size + this.#lackingTopics.size > 0;
  }

  result(): Round {
    return {
      groups: this.#groups.filter((group) => group.root() === group && group.calls.length > 0),
      failed: this.#failed,
      lacking: this.#lacks
        ? { models: this.#lackingModels, topics: this.#lackingTopics }
        : undefined,
    };
  }

  #decide(asked: CallToDecide, place: Place): DecidedCall | undefined {
    const states = this.#statesFor(asked, place.group);
    if (!states) return undefined;
    const context = new Context(this.#options.nowMs, asked.origin.atMs, place.ids);
    const decide = asked.call.command.decide as AnyDecide;
    const decision = decide(asked.call.input, states, context);
    const group = place.group.root();
    group.bound(context.notBeforeMs, context.beforeMs);
    // What follows from a seed may have been made before.
    if (asked.origin.seed === undefined) for (const id of context.made) group.fresh.add(id);
    const facts = decision.kind === "accepted" ? this.#place(decision.facts, asked, place) : [];
    const next = facts && this.#following(asked, decision, place);
    return facts && next && { index: place.index, decision, facts, asked, next };
  }

  /** undefined when something is lacking for one of them. */
  #following(
    asked: CallToDecide,
    decision: Decision,
    place: Place,
  ): readonly DecidedCall[] | undefined {
    const following =
      decision.kind === "accepted"
        ? (asked.accepted as FollowUps["accepted"])?.(decision.answer)
        : asked.refused?.(decision.refusal);
    const decided = followingCalls(following).map((one) =>
      this.#decide({ ...one, origin: asked.origin, conflicts: asked.conflicts }, place),
    );
    const complete = decided.filter((next) => next !== undefined);
    return complete.length === decided.length ? complete : undefined;
  }

  /** undefined when a model has to be read first. */
  #statesFor(asked: CallToDecide, group: Group): Readonly<Record<string, unknown>> | undefined {
    const { call } = asked;
    const mayExpect = (asked.conflicts ?? 0) === 0;
    const { reads, readsMore } = call.command as unknown as AnyCommand;
    const first = Object.entries(reads(call.input));
    if (!readsMore) return this.#states(first, group, mayExpect);
    const wanted = new Map<string, ModelOf>(first);
    for (let times = 0; ; times += 1) {
      const states = this.#states(wanted, group, mayExpect);
      if (!states) return states;
      const before = wanted.size;
      for (const [name, model] of Object.entries(readsMore(call.input, states))) {
        if (model) wanted.set(name, model);
      }
      if (wanted.size === before) return states;
      if (times >= readsMoreMax) throw endless(call.command.name);
    }
  }

  #states(
    wanted: Iterable<readonly [string, ModelOf]>,
    group: Group,
    mayExpect: boolean,
  ): Readonly<Record<string, unknown>> | undefined {
    const states: Record<string, unknown> = {};
    let complete = true;
    for (const [name, of] of wanted) {
      const model = this.#options.models.entry(of);
      const expected = mayExpect && of.expected === "nothing";
      if (model.stale && !(expected && model.expectNothing())) {
        this.#lackingModels.add(model);
        complete = false;
      } else {
        states[name] = this.#touch(model, group).state;
      }
    }
    return complete ? states : undefined;
  }

  /** The model's place in the round, and the call's group united with all that have to do with it. */
  #touch(model: KnownModel, group: Group): Touched {
    const there = this.#touched.get(model);
    if (there) {
      group.join(there.group);
      return there;
    }
    const touched: Touched = { state: model.state, group };
    group.root().models.set(model, model.upTo);
    this.#touched.set(model, touched);
    listed(this.#touchedByTag, model.tag).push(model);
    // Facts of this round that came before anybody asked for the model.
    for (const earlier of this.#factsByTag.get(model.tag) ?? []) {
      if (!model.reads(earlier.placed)) continue;
      touched.state = model.evolved(touched.state, earlier.placed);
      group.join(earlier.group);
    }
    return touched;
  }

  /**
   * Models at hand that nobody in the round has asked for, and that the fact changes: as part of
   * the request they stay known, where otherwise they would have to be read again. (In rounds of
   * independent requests they would only tie those together.)
   */
  #touchConcerned(placed: PlacedFact, group: Group): void {
    for (const tag of placed.tags) {
      for (const model of this.#options.models.ofTag(tag)) {
        if (!model.stale && model.reads(placed)) this.#touch(model, group);
      }
    }
  }

  /** undefined when a topic has to be prepared first. */
  #place(
    facts: readonly Fact[],
    { origin }: CallToDecide,
    { ids, group }: Place,
  ): PlacedFact[] | undefined {
    const unprepared = facts.filter(({ topic }) => !this.#options.prepared.has(topic.name));
    for (const { topic } of unprepared) this.#lackingTopics.add(topic);
    if (unprepared.length > 0) return undefined;
    const parts = { ...this.#options, ids };
    const placed: PlacedFact[] = [];
    for (const fact of facts) {
      const trace = placed[0]?.newEvent.traceparent;
      placed.push(placeFact(fact, origin, { ...parts, trace }));
    }
    for (const one of placed) this.#fold(one, group);
    return placed;
  }

  #fold(placed: PlacedFact, group: Group): void {
    if (this.#options.requests === "one-per-round") this.#touchConcerned(placed, group);
    const grouped = { placed, group };
    for (const tag of placed.tags) {
      listed(this.#factsByTag, tag).push(grouped);
      for (const model of this.#touchedByTag.get(tag) ?? []) {
        const touched = this.#touched.get(model) as Touched;
        if (!model.reads(placed)) continue;
        touched.state = model.evolved(touched.state, placed);
        group.join(touched.group);
      }
    }
  }
}

interface GroupedFact {
  readonly placed: PlacedFact;
  readonly group: Group;
}

interface Place {
  readonly index: number;
  readonly ids: IdSource;
  readonly group: Group;
}

type AnyDecide = (input: unknown, states: unknown, context: DecisionContext) => Decision;

interface AnyCommand {
  readonly reads: (input: unknown) => Readonly<Record<string, ModelOf>>;
  readonly readsMore?: (
    input: unknown,
    states: unknown,
  ) => Readonly<Record<string, ModelOf | undefined>>;
}

class Context implements DecisionContext {
  readonly #nowMs: number;
  readonly #atMs: number | undefined;
  readonly #ids: IdSource;
  notBeforeMs = Number.NEGATIVE_INFINITY;
  beforeMs = Number.POSITIVE_INFINITY;
  /** Ids that were asked for. */
  readonly made: string[] = [];

  constructor(nowMs: number, atMs: number | undefined, ids: IdSource) {
    this.#nowMs = nowMs;
    this.#atMs = atMs;
    this.#ids = ids;
  }

  reached(timeMs: number): boolean {
    if (this.#atMs !== undefined) return timeMs <= this.#atMs;
    const reached = timeMs <= this.#nowMs;
    if (reached) this.notBeforeMs = Math.max(this.notBeforeMs, timeMs);
    else this.beforeMs = Math.min(this.beforeMs, timeMs);
    return reached;
  }

  inMs(durationMs: number): number {
    return Math.ceil((this.#atMs ?? this.#nowMs) + durationMs);
  }

  newId(): string {
    const id = this.#ids.newId();
    this.made.push(id);
    return id;
  }
}

interface FactParts extends RoundOptions {
  readonly ids: IdSource;
  /** Of the decision's first fact; undefined for that one itself. */
  readonly trace: string | undefined;
}

/** The events of a decision are of one span, whose id follows from the first one's. */
function placeFact(fact: Fact, origin: Origin, options: FactParts): PlacedFact {
  const { topic, type, event } = fact;
  const key = (event as Readonly<Record<string, unknown>>)[topic.key];
  if (typeof key !== "string") {
    throw new RecordError("encode", `${type.fullName} has no text in its key field ${topic.key}.`);
  }
  const tags = tagsOf(topic.tags, event);
  const value = options.codec.encode(topic, type, event);
  const id = options.ids.eventId({ type: type.fullName, key, value });
  const newEvent: NewEvent = {
    id,
    type: type.fullName,
    topic: topic.name,
    partition: partitionOf(key, topic.partitions),
    key,
    value,
    tags,
    correlationId: origin.correlationId,
    ...(origin.causationId === undefined ? {} : { causationId: origin.causationId }),
    traceparent: options.trace ?? childTraceparent(origin, spanIdOf(id)),
    ...(origin.atMs === undefined ? {} : { recordedAtMs: origin.atMs }),
  };
  const meta = { id: newEvent.id, recordedAtMs: origin.atMs ?? options.nowMs };
  return { fact, newEvent, name: type.name, tags, event, meta };
}

function listed<Key, Value>(lists: Map<Key, Value[]>, key: Key): Value[] {
  const there = lists.get(key);
  if (there) return there;
  const made: Value[] = [];
  lists.set(key, made);
  return made;
}

const endless = (command: string): InvariantViolation =>
  new InvariantViolation(`The command ${command} names new models without end in readsMore.`);
