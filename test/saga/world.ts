import type { DeadlineType } from "../../engine/deadline.ts";
import {
  type CommandCall,
  type Decision,
  type Fact,
  followed,
  type FollowedCall,
  followingCalls,
  type FollowUps,
  type WantedEffect,
} from "../../engine/decision/definition.ts";
import { countedIds, given } from "../../engine/decision/given.ts";
import type { Emit, ErasedEventProcessor } from "../../engine/processor.ts";

export interface WorldOptions {
  readonly processors: readonly ErasedEventProcessor[];
  readonly deadlines: readonly DeadlineType[];
}

interface SetDeadline {
  readonly type: DeadlineType;
  readonly key: string;
  readonly atMs: number;
}

/** What one transaction writes. */
interface Draft {
  readonly facts: Fact[];
  readonly effects: WantedEffect[];
  readonly deadlines: Map<string, SetDeadline>;
}

/**
 * A store of facts, and nothing but what decisions mean: each call is decided on all facts, and
 * what follows it with it, or nothing of it happens. What the machinery may do to a processor is
 * done by hand: deliver late, twice, or all over again.
 */
export class World {
  readonly facts: Fact[] = [];
  readonly recordedAtMs: number[] = [];
  readonly effects = new Map<string, WantedEffect>();
  readonly refusals: string[] = [];
  nowMs = Date.UTC(2026, 0, 1);
  readonly #options: WorldOptions;
  #deadlines = new Map<string, SetDeadline>();
  /** How far each processor has read. */
  readonly #read: number[];
  readonly #newId = countedIds();

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#read = options.processors.map(() => 0);
  }

  do<Answer>(call: CommandCall<Answer>): Decision<Answer> {
    const draft = this.#draft();
    const decision = this.#decide({ call }, draft) as Decision<Answer>;
    this.#commit(draft);
    return decision;
  }

  /** @throws Error when it is refused: for what a test takes for granted. */
  must<Answer>(call: CommandCall<Answer>): Answer {
    const decision = this.do(call);
    if (decision.kind === "refused") throw new Error(decision.refusal.code);
    return decision.answer;
  }

  /** Numbers of the processors that have not read everything. */
  behind(): number[] {
    return this.#read.flatMap((at, processor) => (at < this.facts.length ? [processor] : []));
  }

  /** The processor reads its next fact. */
  deliverNext(processor: number): void {
    const at = this.#read[processor] ?? 0;
    this.deliver(processor, at);
    this.#read[processor] = at + 1;
  }

  /** The processor gets a fact, perhaps once more. */
  deliver(processor: number, at: number): void {
    const { from, on } = this.#options.processors[processor] as ErasedEventProcessor;
    const fact = this.facts[at];
    const react = fact && on[fact.type.name];
    if (!fact || !react || react === "ignore") return;
    if (!from.some(({ name }) => name === fact.topic.name)) return;
    const calls: FollowedCall[] = [];
    const emit: Emit = (call, followUps = {}) => void calls.push(followed(call, followUps));
    const recordedAtMs = this.recordedAtMs[at] ?? 0;
    const meta = {
      topic: fact.topic.name,
      partition: 0,
      offset: at,
      recordedAtMs,
      sequence: at + 1,
    };
    react(undefined as never, fact.event as never, emit, meta);
    const draft = this.#draft();
    for (const call of calls) this.#decide(call, draft);
    this.#commit(draft);
  }

  /** Every processor reads all, also what comes of it. */
  settle(): void {
    for (let behind = this.behind(); behind.length > 0; behind = this.behind()) {
      for (const processor of behind) this.deliverNext(processor);
    }
  }

  /** The earliest deadline passes, and the time comes for it; false: none is set. */
  passDeadline(): boolean {
    const [next] = [...this.#deadlines.values()].sort((one, other) => one.atMs - other.atMs);
    if (!next) return false;
    this.nowMs = Math.max(this.nowMs, next.atMs);
    const { type, key, atMs } = next;
    const { name } = type;
    this.do(type.passed({ name, key, atMs, tags: [], correlationId: key }));
    const still = this.#deadlines.get(deadlineOf(next));
    if (still?.atMs === atMs) this.#deadlines.delete(deadlineOf(next));
    return true;
  }

  get deadlines(): readonly SetDeadline[] {
    return [...this.#deadlines.values()];
  }

  /** Short names of the facts of a topic, in order. */
  names(topic: { readonly name: string }): string[] {
    return this.facts.filter((fact) => fact.topic.name === topic.name).map(({ type }) => type.name);
  }

  #draft(): Draft {
    return { facts: [], effects: [], deadlines: new Map(this.#deadlines) };
  }

  #commit({ facts, effects, deadlines }: Draft): void {
    for (const fact of facts) {
      this.facts.push(fact);
      this.recordedAtMs.push(this.nowMs);
    }
    for (const effect of effects) {
      if (!this.effects.has(effect.key)) this.effects.set(effect.key, effect);
    }
    this.#deadlines = deadlines;
  }

  #decide({ call, accepted, refused }: FollowedCall, draft: Draft): Decision {
    const known = [...this.facts, ...draft.facts];
    const { decision } = given(known, { nowMs: this.nowMs, newId: this.#newId }).when(call);
    const following =
      decision.kind === "accepted"
        ? (accepted as FollowUps["accepted"])?.(decision.answer)
        : refused?.(decision.refusal);
    if (decision.kind === "accepted") this.#take(decision, draft);
    else this.refusals.push(decision.refusal.code);
    for (const next of followingCalls(following)) this.#decide(next, draft);
    return decision;
  }

  #take({ facts, wanted }: Extract<Decision, { kind: "accepted" }>, draft: Draft): void {
    draft.facts.push(...facts);
    draft.effects.push(...(wanted?.effects ?? []));
    for (const change of wanted?.deadlines ?? []) {
      const type = this.#options.deadlines.find(({ name }) => name === change.name);
      if (!type) throw new Error(`Nothing waits for the deadline ${change.name}.`);
      const { key } = change;
      if (change.change === "cancel") draft.deadlines.delete(deadlineOf({ type, key }));
      else draft.deadlines.set(deadlineOf({ type, key }), { type, key, atMs: change.atMs });
    }
  }
}

const deadlineOf = ({ type, key }: Pick<SetDeadline, "type" | "key">): string =>
  `${type.name} ${key}`;
