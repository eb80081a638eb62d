import { classify } from "../error-policy.ts";
import { offset, type Offset } from "../position.ts";
import type { Membership } from "../ports/assignment.ts";
import type { Clock } from "../ports/clock.ts";
import type { LettersOfKey } from "../ports/dead-letters.ts";
import type { GenerationHold, HeldPartition } from "../ports/generations.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { HealVerdict, HealWork } from "../task/healer.ts";
import type { Task } from "../task/task.ts";
import type { Claims } from "./claims.ts";
import { Standstill } from "./standstill.ts";
import type { Subscription } from "./subscription.ts";
import type { TopicHub } from "./topic-hub.ts";
import { Wakeup } from "./wakeup.ts";

export interface ConsumerOptions {
  readonly task: Task;
  readonly claims: Claims;
  readonly membership: Membership;
  /** One for each topic that the definition reads. */
  readonly hubs: readonly { readonly topic: string; readonly hub: TopicHub }[];
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Time after which partitions that an outage has halted are claimed and tried again. */
  readonly recoverAfterMs: number;
  /** Tells a hold that these partitions stand still; without it there are no holds. */
  readonly stand?: (hold: bigint, partitions: readonly HeldPartition[]) => Promise<void>;
  /** The longest that one hold keeps it still (default 10,000). */
  readonly holdMaxMs?: number;
}

interface AskedLetters {
  readonly keys: readonly LettersOfKey[];
  readonly done: () => void;
}

interface Heal {
  readonly work: HealWork;
  readonly answer: (verdict: HealVerdict) => void;
  readonly fail: (error: unknown) => void;
}

/** Time after which a hold that couldn't be told is told again. */
const tellAgainMs = 50;

/**
 * Drives one task: takes over and gives back what the assignment says, gives it what the hubs have
 * fetched, and flushes when a batch is due. One loop, one step after the other; only the flush in
 * flight goes on beside it.
 */
export class Consumer {
  readonly task: Task;
  readonly #options: ConsumerOptions;
  readonly #wakeup = new Wakeup();
  #wanted: ReadonlySet<number> | undefined;
  #changed = false;
  readonly #owned = new Set<number>();
  #subscriptions: { readonly topic: string; readonly subscription: Subscription }[] = [];
  #rewinds = 0;
  #turn = 0;
  #stopping = false;
  #arrived = false;
  #applied = false;
  #asked: AskedLetters | undefined;
  #heals: readonly Heal[] = [];
  readonly #standstill: Standstill;
  /** Monotonic; undefined: nothing is to be tried again. */
  #recoverAtMs: number | undefined;
  /** Why partitions can't be claimed now; they are tried again. */
  claimFailure: unknown;
  /** Why it ended, where it wasn't asked to. */
  failure: unknown;
  /** Resolves when `run` has ended, however it did. */
  readonly stopped: Promise<void>;
  #hasStopped: () => void = () => undefined;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.task = options.task;
    this.#standstill = new Standstill(options.holdMaxMs ?? 10_000);
    for (const { hub } of options.hubs) hub.expect();
    this.stopped = new Promise((resolve) => (this.#hasStopped = resolve));
  }

  /** Has it taken over what the assignment gave it first? */
  get arrived(): boolean {
    return this.#arrived;
  }

  /** Has it made durable what it was given? */
  get applied(): boolean {
    return this.#applied;
  }

  /** Milliseconds that holds have kept it still, in all. */
  get heldMs(): number {
    return this.#standstill.stoodMs(this.#options.clock.monotonicMs());
  }

  /** Runs until `stop`; rejects with what nobody may catch. */
  async run(): Promise<void> {
    const following = this.#follow();
    try {
      while (!this.#stopping) await this.#step();
      await this.#giveBack(new Set(this.#owned));
    } catch (error) {
      this.failure = error;
      throw error;
    } finally {
      this.#arrive();
      this.#unsubscribe();
      for (const { answer } of this.#heals) answer("later");
      this.#heals = [];
      this.#asked?.done();
      this.#asked = undefined;
      await this.#options.membership[Symbol.asyncDispose]();
      await following;
      this.#hasStopped();
    }
  }

  stop(): void {
    this.#stopping = true;
    this.#wakeup.call();
  }

  /**
   * Takes up what operators have asked for letters, instead of what was taken up before. Resolves when
   * it was done or can't be done now.
   */
  ask(asked: readonly LettersOfKey[]): Promise<void> {
    const keys = asked.filter(({ partition }) => this.#owned.has(partition));
    this.#asked?.done();
    this.#asked = undefined;
    if (keys.length === 0 || this.#stopping || this.failure !== undefined) return Promise.resolve();
    return new Promise((done) => {
      this.#asked = { keys, done };
      this.#wakeup.call();
    });
  }

  /** Takes up what holds this consumer's generation now, instead of what was seen before. */
  hold(holds: readonly GenerationHold[]): void {
    this.#standstill.see(holds, this.#options.clock.monotonicMs());
    this.#wakeup.call();
  }

  /** Mends a row between two flushes; `later` where the consumer stops before. */
  heal(work: HealWork): Promise<HealVerdict> {
    if (this.#stopping || this.failure !== undefined) return Promise.resolve("later");
    return new Promise((answer, fail) => {
      this.#heals = [...this.#heals, { work, answer, fail }];
      this.#wakeup.call();
    });
  }

  async #follow(): Promise<void> {
    try {
      for await (const partitions of this.#options.membership.changes) {
        this.#wanted = partitions;
        this.#changed = true;
        this.#wakeup.call();
      }
    } catch (error) {
      // Without the assignment nobody knows what is ours: stop working, visibly.
      this.#haltAll(error);
    }
  }

  async #step(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (this.#changed) await this.#reassign();
    if (this.task.rewinds !== this.#rewinds) await this.#afterRewind();
    const heldUntilMs = this.#heldUntilMs();
    if (this.#isRecoveryDue(heldUntilMs !== undefined)) return this.#recover();
    if (heldUntilMs !== undefined) return this.#standStill(heldUntilMs);
    const [heal, ...heals] = this.#heals;
    this.#heals = heals;
    if (heal) return this.#heal(heal);
    if (this.#asked) return this.#settle(this.#asked);
    const fetch = this.#next();
    if (fetch) return this.task.accept(fetch);
    const { clock } = this.#options;
    const due = this.task.flushDueMs;
    if (due !== undefined && !this.task.flushing && clock.monotonicMs() >= due) {
      await this.task.beginFlush();
      this.#wakeAfterFlush();
      return;
    }
    if (this.task.flushing) this.#wakeAfterFlush();
    const flushAtMs = this.task.flushing ? Infinity : (due ?? Infinity);
    const wakeAtMs = Math.min(flushAtMs, this.#recoverAtMs ?? Infinity);
    const waitMs = Number.isFinite(wakeAtMs) ? wakeAtMs - clock.monotonicMs() : undefined;
    await this.#wakeup.wait(clock, waitMs);
  }

  /** Monotonic; undefined: nothing holds it. */
  #heldUntilMs(): number | undefined {
    const { clock, metrics } = this.#options;
    const nowMs = clock.monotonicMs();
    const untilMs = this.#standstill.untilMs(nowMs);
    if (untilMs !== undefined) return untilMs;
    const stoodMs = this.#standstill.move(nowMs);
    if (stoodMs !== undefined) {
      metrics.observe("hold_seconds", stoodMs / 1_000, { consumer: this.task.name });
    }
    return undefined;
  }

  /**
   * Flushes what is folded, tells the holds, and waits. Partitions that come, go, or are claimed
   * anew meanwhile are told with the next step.
   */
  async #standStill(untilMs: number): Promise<void> {
    const { clock, stand, metrics } = this.#options;
    const partitions = await this.task.standStill();
    // What the flush has lost, or the assignment has changed, is looked at first.
    if (this.#changed || this.task.rewinds !== this.#rewinds) return;
    let wakeAtMs = Math.min(untilMs, this.#recoverAtMs ?? Infinity);
    for (const hold of this.#standstill.stand(partitions, clock.monotonicMs())) {
      try {
        await stand?.(hold, partitions);
        this.#standstill.told(hold, partitions);
      } catch (error) {
        if (classify(error) === "rethrow") throw error;
        metrics.count("retries_total", 1, { consumer: this.task.name });
        wakeAtMs = Math.min(wakeAtMs, clock.monotonicMs() + tellAgainMs);
      }
    }
    const waitMs = wakeAtMs - clock.monotonicMs();
    if (waitMs > 0) await this.#wakeup.wait(clock, waitMs);
  }

  async #settle({ keys, done }: AskedLetters): Promise<void> {
    this.#asked = undefined;
    try {
      await this.task.settle(keys);
    } finally {
      done();
    }
  }

  async #heal({ work, answer, fail }: Heal): Promise<void> {
    try {
      answer(await this.task.heal(work));
    } catch (error) {
      fail(error);
      throw error;
    }
  }

  /**
   * What an outage or a hole has stopped is tried again after a while, as often as it takes; what a
   * hold has still stays as it is, and only what couldn't be claimed is claimed.
   */
  #isRecoveryDue(isHeld: boolean): boolean {
    const { clock, recoverAfterMs } = this.#options;
    const halted = !isHeld && this.task.waitsForRecovery;
    const stopped = this.claimFailure !== undefined || halted;
    if (!stopped) this.#recoverAtMs = undefined;
    else this.#recoverAtMs ??= clock.monotonicMs() + recoverAfterMs;
    return this.#recoverAtMs !== undefined && clock.monotonicMs() >= this.#recoverAtMs;
  }

  async #recover(): Promise<void> {
    this.#options.metrics.count("recoveries_total", 1, { consumer: this.task.name });
    this.#recoverAtMs = undefined;
    if (this.claimFailure !== undefined) this.#changed = true;
    this.claimFailure = undefined;
    if (this.#heldUntilMs() === undefined) await this.task.recover();
  }

  /** A fenced or failed flush must be noticed also when nothing more arrives. */
  #wakeAfterFlush(): void {
    this.task.settled().then(this.#afterFlush, (error: unknown) => {
      this.failure = error;
      this.#wakeup.call();
    });
  }

  readonly #afterFlush = (): void => {
    // One that was fenced, or has failed, has led to a rewind.
    this.#applied ||= this.task.rewinds === this.#rewinds;
    this.#wakeup.call();
  };

  /** The next fetch, from the topics in turn, so that none waits for another to be empty. */
  #next() {
    for (let index = 0; index < this.#subscriptions.length; index += 1) {
      this.#turn = (this.#turn + 1) % this.#subscriptions.length;
      const { subscription, topic } = this.#subscriptions[this.#turn] as {
        subscription: Subscription;
        topic: string;
      };
      const fetch = subscription.take();
      if (fetch) return fetch;
      if (subscription.error !== undefined) this.#haltTopic(topic, subscription.error);
    }
    return undefined;
  }

  async #reassign(): Promise<void> {
    this.#changed = false;
    const wanted = this.#wanted ?? new Set<number>();
    const lost = new Set([...this.#owned].filter((partition) => !wanted.has(partition)));
    if (lost.size > 0) await this.#giveBack(lost);
    const gained = [...wanted].filter((partition) => !this.#owned.has(partition));
    if (gained.length > 0) {
      const claimed = await this.#claimed(gained);
      if (claimed) for (const partition of gained) this.#owned.add(partition);
    }
    if (lost.size + gained.length > 0) this.#subscribe();
    this.#arrive();
  }

  /** False after an outage: they are claimed later. */
  async #claimed(partitions: readonly number[]): Promise<boolean> {
    try {
      await this.#options.claims.take(this.task, partitions);
      return true;
    } catch (error) {
      if (classify(error) !== "retry") throw error;
      this.claimFailure = error;
      return false;
    }
  }

  /** Readers that begin wait for everybody's first subscription. */
  #arrive(): void {
    if (this.#arrived) return;
    this.#arrived = true;
    for (const { hub } of this.#options.hubs) hub.arrive();
  }

  async #giveBack(partitions: ReadonlySet<number>): Promise<void> {
    await this.task.drain(partitions);
    for (const partition of partitions) this.#owned.delete(partition);
    await this.#options.membership.release(partitions);
  }

  /** What the task has dropped is claimed again when the assignment says that it is ours still. */
  async #afterRewind(): Promise<void> {
    // Only here: a rewind that comes while partitions change hands must not pass unseen.
    this.#rewinds = this.task.rewinds;
    const left = new Set([...this.task.partitions].map((one) => one.partition));
    const dropped = [...this.#owned].filter((partition) => !left.has(partition));
    if (dropped.length > 0) {
      await this.task.drain(new Set(dropped));
      for (const partition of dropped) this.#owned.delete(partition);
      this.#options.membership.fencedOut(dropped);
    }
    this.#subscribe();
  }

  #subscribe(): void {
    this.#unsubscribe();
    for (const { topic, hub } of this.#options.hubs) {
      const from = new Map<number, Offset>();
      for (const one of this.task.partitions) {
        if (one.topic !== topic || !one.active) continue;
        if (one.state === "assigned") one.transit("running");
        from.set(one.partition, offset(one.staged.nextOffset));
      }
      if (from.size === 0) continue;
      this.#subscriptions.push({ topic, subscription: hub.subscribe(from, this.#wakeup.call) });
    }
  }

  #unsubscribe(): void {
    for (const { subscription } of this.#subscriptions) subscription.close();
    this.#subscriptions = [];
  }

  #haltTopic(topic: string, error: unknown): void {
    for (const one of this.task.partitions) {
      if (one.topic === topic && one.active) one.halt(error);
    }
  }

  #haltAll(error: unknown): void {
    for (const one of this.task.partitions) if (one.active) one.halt(error);
  }
}
