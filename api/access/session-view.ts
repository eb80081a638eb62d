import { header } from "../../engine/envelope.ts";
import { FatalError } from "../../engine/errors.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { EventStore } from "../../engine/ports/event-store.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type { Fetch, RecordLog } from "../../engine/ports/record-log.ts";
import type { Offset } from "../../engine/position.ts";
import { RecordCursor } from "../../engine/record-batch/index.ts";
import { SessionExpired, SessionRevoked } from "../../schemas/index.ts";
import { sessionEvents } from "../../schemas/topics.ts";
import type { AccessLimits, SessionEnding, SessionView } from "./contract.ts";
import { EndedSessions } from "./ended-sessions.ts";
import { LaneLooks } from "./lane-looks.ts";

export interface LogSessionViewOptions {
  readonly log: Pick<RecordLog, "read" | "offsetsAt">;
  readonly eventStore: Pick<EventStore, "lanes" | "incarnation" | "nowMs">;
  readonly clock: Clock;
  readonly limits: AccessLimits;
  /** Told of the view's age at each look. */
  readonly metrics: Metrics;
  /** Told once of each failure that lasts. */
  readonly report: (message: string) => void;
}

const topic = sessionEvents.name;
/** Pause between two looks at what the store has recorded. */
const lookMs = 250;
/** How long before the longest session of now the log is read from: clocks differ. */
const marginMs = 120_000;
const retryMs = { first: 100, most: 2_000 };

const endings: Readonly<Record<string, SessionEnding>> = {
  [SessionExpired.fullName]: "expired",
  [SessionRevoked.fullName]: "revoked",
};

/**
 * Which sessions have ended, followed in the log of `session-events` from the longest session on
 * that can still be open. It is as old as the last look at the event store whose every lane has
 * been applied here: so a capture that stands still makes it old, although the log is read to its
 * end. A failing log or store is tried again for ever, and makes it old meanwhile.
 */
export class LogSessionView implements SessionView, AsyncDisposable {
  readonly #options: LogSessionViewOptions;
  readonly #known: EndedSessions;
  readonly #begunAtMs: number;
  readonly #looks = new LaneLooks();
  readonly #stop = new AbortController();
  readonly #cursor = new RecordCursor();
  /** Where each partition is read on; undefined until the beginning was found. */
  #next: Map<number, Offset> | undefined;
  #running: Promise<unknown> | undefined;
  readonly #current = Promise.withResolvers<void>();

  constructor(options: LogSessionViewOptions) {
    this.#options = options;
    this.#begunAtMs = options.clock.monotonicMs();
    this.#known = new EndedSessions(options);
  }

  /** Begins to follow. */
  start(): void {
    this.#running ??= Promise.all([
      this.#forEver("The log of sessions can't be read", () => this.#follow()),
      this.#forEver("The event store can't be asked for its sessions", () => this.#look()),
    ]);
  }

  /** Resolves when all that was recorded was known here for the first time. */
  get current(): Promise<void> {
    return this.#current.promise;
  }

  endOf(sessionId: string): SessionEnding | undefined {
    return this.#known.endOf(sessionId);
  }

  get ageMs(): number | undefined {
    const atMs = this.#looks.appliedAtMs;
    if (atMs === undefined || !this.#known.complete) return undefined;
    return this.#options.clock.monotonicMs() - atMs;
  }

  ended(sessionId: string, how: SessionEnding): void {
    this.#known.ended(sessionId, how);
  }

  watch(sessionId: string, listener: (how: SessionEnding) => void): () => void {
    return this.#known.watch(sessionId, listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #forEver(what: string, turn: () => Promise<void>): Promise<void> {
    const { clock, report } = this.#options;
    const { signal } = this.#stop;
    let pauseMs = retryMs.first;
    while (!signal.aborted) {
      try {
        await turn();
        pauseMs = retryMs.first;
      } catch (error) {
        if (signal.aborted) return;
        if (pauseMs === retryMs.first) report(`${what}: ${messageOf(error)} It is tried again.`);
        // Retention has passed it, or the topic was made anew: begin again.
        if (error instanceof FatalError) this.#next = undefined;
        await clock.sleep(pauseMs, signal);
        pauseMs = Math.min(pauseMs * 2, retryMs.most);
      }
    }
  }

  async #look(): Promise<void> {
    const { eventStore, clock } = this.#options;
    this.#tellAge();
    const atMs = clock.monotonicMs();
    const incarnation = await eventStore.incarnation();
    const lanes = await eventStore.lanes(topic);
    this.#looks.add({ atMs, incarnation, lanes });
    this.#tellCurrent();
    await clock.sleep(lookMs, this.#stop.signal);
  }

  /** Before a look that may fail: a store that is away makes the view old, too. */
  #tellAge(): void {
    const { metrics, clock } = this.#options;
    const ageMs = this.ageMs ?? clock.monotonicMs() - this.#begunAtMs;
    metrics.gauge("session_view_age_seconds", ageMs / 1_000);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    const { log, clock } = this.#options;
    this.#next ??= await this.#beginning();
    const from = this.#next;
    for await (const fetch of log.read({ topic, from, until: "forever", signal })) {
      this.#apply(fetch, from);
    }
    // A log that ends a reading by itself is not asked again in a spin.
    await clock.sleep(retryMs.first, signal);
  }

  async #beginning(): Promise<Map<number, Offset>> {
    const { log, eventStore, limits } = this.#options;
    const fromMs = (await eventStore.nowMs()) - limits.sessionMs - marginMs;
    const from = await log.offsetsAt(topic, fromMs);
    this.#looks.beginAt(fromMs);
    return new Map(from);
  }

  #apply(fetch: Fetch, next: Map<number, Offset>): void {
    const cursor = this.#cursor;
    for (const { partition, bytes, nextOffset } of fetch.partitions) {
      cursor.reset(bytes, next.get(partition) ?? 0n);
      while (cursor.next()) this.#record(partition, cursor);
      next.set(partition, nextOffset);
    }
    this.#looks.applied();
    this.#tellCurrent();
  }

  #tellCurrent(): void {
    if (this.#looks.appliedAtMs !== undefined) this.#current.resolve();
  }

  #record(partition: number, cursor: RecordCursor): void {
    const sequence = cursor.headerNumber(header.sequence);
    const incarnation = cursor.headerText(header.incarnation);
    if (!(sequence > 0) || incarnation === undefined || cursor.keyStart < 0) return;
    const how = endings[cursor.headerText(header.type) ?? ""];
    if (how !== undefined) {
      this.#known.ended(cursor.bytes.toString("utf8", cursor.keyStart, cursor.keyEnd), how);
    }
    const eventId = cursor.headerText(header.id);
    this.#looks.advance(partition, { sequence, incarnation, eventId });
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
