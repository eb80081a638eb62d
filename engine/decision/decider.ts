import { setImmediate as turn } from "node:timers/promises";

import { type Leases, WakeUps } from "../effects/wake-ups.ts";
import { InvariantViolation, RecordError, TransientError } from "../errors.ts";
import type { KeptOnce } from "../ports/alongside.ts";
import type { DeadlineChange } from "../ports/deadlines.ts";
import type { NewEffect, StoredEffect } from "../ports/effect-ledger.ts";
import type {
  Appended,
  AppendOptions,
  AppendVerdict,
  EventStore,
  StoredEvent,
} from "../ports/event-store.ts";
import { noTracer, type Tracer } from "../ports/tracing.ts";
import { begunIn } from "./begun.ts";
import type { CommandCall } from "./definition.ts";
import type { CallMore, CallToDecide, Group } from "./group.ts";
import type { DeciderOptions } from "./decider-options.ts";
import { ModelCache } from "./model-cache.ts";
import { ModelReader } from "./model-reader.ts";
import type { CommandResult, Origin } from "./outcome.ts";
import { DecisionPlan, type PlanOutcome } from "./plan.ts";
import { conditionOf, requestOf } from "./request.ts";
import { decideRound, type Round, type RoundOptions, unknownModels } from "./round.ts";
import { Sends } from "./sends.ts";
import { settleAppended, type SettledCall } from "./settle.ts";

export type { DeciderOptions } from "./decider-options.ts";

interface Waiting extends CallToDecide {
  conflicts: number;
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * How often a round may find that it lacks something: a bound on definitions that never end. Each
 * call of a long chain of calls that follow one another may name something new.
 */
const preparationsMax = 256;

/**
 * Makes decisions on an event store. Calls that wait are taken together: while one round's appends
 * are in flight, the next fills. Within a round each decision sees the facts of those before it;
 * what hangs together becomes one request, so that commands of one process don't conflict.
 *
 * Refusals are checked against the store as well: a model that is behind must not refuse.
 */
export class Decider {
  /** For who performs the effects, and waits for the deadlines, that its decisions want. */
  readonly wakeUps: WakeUps;
  readonly #options: DeciderOptions;
  readonly #models: ModelCache;
  readonly #reader: ModelReader;
  readonly #prepared = new Set<string>();
  readonly #waiting: Waiting[] = [];
  #running = false;
  #nowMs = Number.NEGATIVE_INFINITY;
  #nowSeenMs = Number.NEGATIVE_INFINITY;

  constructor(options: DeciderOptions) {
    this.#options = options;
    this.wakeUps = options.wakeUps ?? new WakeUps();
    this.#models = options.models ?? new ModelCache();
    this.#reader = new ModelReader(options);
  }

  /**
   * Decides a command and records its facts, with what more is asked for: the client's key, what is
   * to follow the call, the effect that it is the answer to.
   *
   * @throws TransientError when the store can't be reached (whether the facts were recorded is then
   * unknown), RecordError when a fact doesn't fit its schema, and what the definition throws.
   */
  execute<Answer>(
    call: CommandCall<Answer>,
    origin: Origin,
    more: CallMore<Answer> = {},
  ): Promise<CommandResult<Answer>> {
    if (this.#waiting.length >= (this.#options.waitingMax ?? 20_000)) {
      return Promise.reject(
        new TransientError(
          "commands-waiting",
          `${this.#waiting.length} commands wait already: they come faster than they are decided.`,
        ),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        ...(more as CallMore<never>),
        call,
        origin,
        conflicts: 0,
        resolve: resolve as (result: CommandResult) => void,
        reject,
      });
      if (!this.#running) void this.#run();
    });
  }

  /**
   * Decides calls whose appends somebody else makes, in a transaction with more: a processor's
   * flush. Nothing has happened until `settle` says so.
   */
  async plan(calls: readonly CallToDecide[]): Promise<DecisionPlan> {
    const round = await this.#decide(calls);
    for (const error of round.failed.values()) throw error;
    this.#models.trim();
    return new DecisionPlan({
      calls,
      groups: round.groups,
      tracer: this.#tracer,
      leases: this.wakeUps.leases(),
    });
  }

  /**
   * Tells the plan what the store answered. Unless all its requests were appended, nothing was
   * written: the newer events are folded in, and all calls have to be planned again.
   */
  async settle(plan: DecisionPlan, verdicts: readonly AppendVerdict[]): Promise<PlanOutcome> {
    if (verdicts.length !== plan.groups.length) {
      throw new InvariantViolation(
        `A plan of ${plan.groups.length} requests was settled with ${verdicts.length} verdicts.`,
      );
    }
    plan.ended(verdicts);
    if (verdicts.every((verdict) => verdict.outcome === "appended")) {
      const settled = plan.groups.flatMap((group, i) =>
        this.#recorded(group, verdicts[i] as Appended),
      );
      this.#tell(plan.groups, verdicts);
      return { outcome: "settled", calls: settled.sort((a, b) => a.index - b.index) };
    }
    for (const [i, verdict] of verdicts.entries()) {
      await this.#learn(plan.groups[i] as Group, verdict);
    }
    return { outcome: "again" };
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      // A turn of the event loop: who was woken by the last round joins the next.
      for (await turn(); this.#waiting.length > 0; await turn()) {
        const calls = this.#waiting.splice(0, this.#options.roundCallsMax ?? 1_000);
        await this.#round(calls);
        this.#models.trim();
      }
    } finally {
      this.#running = false;
    }
  }

  /** Never rejects: what fails, fails for its calls. */
  async #round(calls: Waiting[]): Promise<void> {
    try {
      const locked = calls.filter((call) => call.conflicts >= this.#conflictsMax);
      const others = calls.filter((call) => call.conflicts < this.#conflictsMax);
      await this.#halving(locked, (some) => this.#executeLocked(some));
      await this.#halving(others, (some) => this.#together(some));
    } catch (error) {
      for (const call of calls) call.reject(error);
    }
  }

  /** Decides and appends calls as one round. */
  async #together(calls: readonly Waiting[]): Promise<void> {
    const round = await this.#decide(calls);
    if (this.#united) for (const error of round.failed.values()) throw error;
    for (const [index, error] of round.failed) calls[index]?.reject(error);
    const leases = this.wakeUps.leases();
    await Promise.all(round.groups.map((group) => this.#append(group, calls, leases)));
  }

  /** Halves the calls until those are found whom an event keeps back that can't be decoded. */
  async #halving(
    calls: readonly Waiting[],
    work: (some: readonly Waiting[]) => Promise<void>,
  ): Promise<void> {
    try {
      if (calls.length > 0) await work(calls);
    } catch (error) {
      if (!(error instanceof RecordError) || this.#united) throw error;
      if (calls.length === 1) return calls[0]?.reject(error);
      const half = calls.length >> 1;
      await this.#halving(calls.slice(0, half), work);
      return this.#halving(calls.slice(half), work);
    }
  }

  async #append(group: Group, calls: readonly Waiting[], leases: Leases): Promise<void> {
    const sends = new Sends(this.#tracer, group);
    try {
      const verdict = await this.#options.eventStore.append(requestOf(group, leases), this.#grant);
      sends.end(verdict);
      await this.#conclude(group, calls, verdict);
    } catch (error) {
      sends.fail(error);
      // What was sent may have happened: the models are read again before they are used.
      for (const model of group.models.keys()) model.stale = true;
      for (const { index } of group.calls) calls[index]?.reject(error);
    }
  }

  async #conclude(group: Group, calls: readonly Waiting[], verdict: AppendVerdict): Promise<void> {
    switch (verdict.outcome) {
      case "appended":
        for (const settled of this.#recorded(group, verdict)) {
          this.#answer(calls[settled.index], settled);
        }
        return this.#tell([group], [verdict]);
      case "held":
        for (const { index } of group.calls) calls[index]?.resolve(verdict);
        return;
      case "repeated":
        return this.#repeat(group, calls, verdict.kept);
      case "conflict":
      case "out-of-time":
        await this.#learn(group, verdict);
        this.#again(group.calls.flatMap(({ index }) => calls[index] ?? []));
    }
  }

  #recorded(group: Group, verdict: Appended): SettledCall[] {
    this.#saw(verdict.recordedAtMs);
    return settleAppended(group, verdict, this.#models);
  }

  /** Who works on what groups want is told of all of them at once. */
  #tell(groups: readonly Group[], verdicts: readonly Appended[]): void {
    const effects: NewEffect[] = [];
    const deadlines: DeadlineChange[] = [];
    const begun: StoredEffect[] = [];
    for (const [i, { alongside }] of groups.entries()) {
      if (alongside === undefined) continue;
      for (const effect of alongside.effects ?? []) effects.push(effect);
      for (const change of alongside.deadlines ?? []) deadlines.push(change);
      for (const effect of begunIn(alongside, verdicts[i] as Appended)) begun.push(effect);
    }
    if (effects.length + deadlines.length > 0) this.wakeUps.tell({ effects, deadlines }, begun);
  }

  /** Those whose keys were used are answered; whoever was decided together with them is again. */
  #repeat(group: Group, calls: readonly Waiting[], kept: readonly KeptOnce[]): void {
    const again: Waiting[] = [];
    for (const { index } of group.calls) {
      const call = calls[index] as Waiting;
      const { once } = call;
      const known = kept.find(({ scope, key }) => scope === once?.scope && key === once.key);
      if (known) call.resolve({ outcome: "repeated", kept: known });
      else again.push(call);
    }
    this.#waiting.unshift(...again);
  }

  /** They waited first: they go first. */
  #again(calls: readonly Waiting[]): void {
    for (const call of calls) call.conflicts += 1;
    this.#waiting.unshift(...calls);
  }

  /** What a verdict tells about the store. */
  async #learn(group: Group, verdict: AppendVerdict): Promise<void> {
    switch (verdict.outcome) {
      case "out-of-time":
        this.#saw(verdict.recordedAtMs);
        return;
      case "conflict":
        if (verdict.cut || !(await this.#folded(group, verdict.newer))) {
          for (const model of group.models.keys()) model.stale = true;
        }
        return;
      case "appended":
      case "repeated":
      case "held":
    }
  }

  /**
   * False when an event can't be decoded: whoever needs its model meets it when it is read anew,
   * and others don't.
   */
  async #folded(group: Group, newer: readonly StoredEvent[]): Promise<boolean> {
    try {
      await this.#reader.fold([...group.models.keys()], newer);
      return true;
    } catch (error) {
      if (error instanceof RecordError) return false;
      throw error;
    }
  }

  /**
   * Decides calls that have conflicted too often under the store's lock, where nothing newer can come
   * between: all under one, since calls that hang together have conflicted together, and a lock for
   * each would keep the others waiting for as long as all of them take. What the locked decisions
   * turn out to lack is got, and they are tried again.
   */
  async #executeLocked(calls: readonly Waiting[]): Promise<void> {
    const first = await this.#decide(calls, "one-per-round");
    for (const [index, error] of first.failed) calls[index]?.reject(error);
    const able = calls.filter((_, index) => !first.failed.has(index));
    const [group] = first.groups;
    if (!group) return;
    const models = [...group.models.keys()];
    let decided: Group | undefined;
    let sends: Sends | undefined;
    const condition = conditionOf(group);
    const decide = (newer: Parameters<Parameters<EventStore["appendLocked"]>[1]>[0]) => {
      const learnt = this.#reader.foldLearnt(models, newer);
      const round = decideRound(able, this.#roundOptions("one-per-round"));
      const complete = learnt && !round.lacking && round.failed.size === 0;
      decided = complete ? round.groups[0] : undefined;
      if (decided === undefined) return { events: [], condition: [] };
      sends = new Sends(this.#tracer, decided);
      return requestOf(decided, this.wakeUps.leases());
    };
    const verdict = await this.#options.eventStore.appendLocked(condition, decide, this.#grant);
    sends?.end(verdict);
    if (decided) return this.#conclude(decided, able, verdict);
    for (const model of models) model.stale = true;
    this.#again(able);
  }

  /** Decides a round with all that it needs. */
  async #decide(
    calls: readonly CallToDecide[],
    requests = this.#options.requests ?? "independent",
  ): Promise<Round> {
    if (calls.length === 0) return { groups: [], failed: new Map(), lacking: undefined };
    const unknown = unknownModels(calls, this.#models);
    await Promise.all([this.#askClock(), this.#reader.refresh([...unknown])]);
    for (let attempt = 0; attempt < preparationsMax; attempt += 1) {
      const round = decideRound(calls, this.#roundOptions(requests));
      if (!round.lacking) return round;
      await this.#reader.refresh([...round.lacking.models]);
      for (const topic of round.lacking.topics) {
        await this.#options.codec.prepare(topic);
        this.#prepared.add(topic.name);
      }
    }
    throw new InvariantViolation("Commands name new models without end.");
  }

  #roundOptions(requests: RoundOptions["requests"]): RoundOptions {
    return {
      models: this.#models,
      codec: this.#options.codec,
      random: this.#options.random,
      prepared: this.#prepared,
      nowMs: this.#nowMs,
      requests,
    };
  }

  /** The verdicts tell the time as well: only an idle decider has to ask. */
  async #askClock(): Promise<void> {
    const age = this.#options.clock.monotonicMs() - this.#nowSeenMs;
    if (age > (this.#options.clockAgeMaxMs ?? 20))
      this.#saw(await this.#options.eventStore.nowMs());
  }

  #saw(storeMs: number): void {
    this.#nowMs = storeMs;
    this.#nowSeenMs = this.#options.clock.monotonicMs();
  }

  #answer(call: Waiting | undefined, settled: SettledCall): void {
    this.#options.metrics.count("commands_total", 1, { outcome: settled.result.outcome });
    call?.resolve(settled.result);
  }

  get #tracer(): Tracer {
    return this.#options.tracer ?? noTracer;
  }

  get #grant(): AppendOptions {
    return { as: this.#options.as ?? "command" };
  }

  get #united(): boolean {
    return this.#options.requests === "one-per-round";
  }

  get #conflictsMax(): number {
    return this.#options.conflictsMax ?? 4;
  }
}
