import { FatalError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  AppendedEvent,
  AppendOptions,
  AppendRequest,
  AppendVerdict,
  ConditionItem,
  EventStore,
  LaneEnd,
  NewEvent,
  QueryItem,
  ReadEvents,
  ReadItem,
  StoredEvent,
} from "../ports/event-store.ts";
import { globalPosition, type GlobalPosition, sequence } from "../position.ts";
import { assertTimesAreTheHolders } from "../recorded-times.ts";
import { KeptAlongside, type AlongsideStores } from "./alongside.ts";
import { MemoryStoreHold } from "./store-hold.ts";

export interface MemoryEventStoreOptions extends AlongsideStores {
  readonly clock: Clock;
  readonly incarnation?: string;
  /** Newer events that a conflict brings back (default 500). */
  readonly newerMax?: number;
  /** Between two looks of a subscription that has seen everything (default 20 ms). */
  readonly pollIntervalMs?: number;
}

/** The event store in memory: the sequential reference. Appends are steps of their own. */
export class MemoryEventStore implements EventStore {
  readonly hold = new MemoryStoreHold();
  readonly #options: MemoryEventStoreOptions;
  readonly #alongside: KeptAlongside;
  #events: StoredEvent[] = [];
  #byId = new Map<string, StoredEvent>();
  #lanes = new Map<string, LaneEnd>();

  constructor(options: MemoryEventStoreOptions) {
    this.#options = options;
    this.#alongside = new KeptAlongside(options);
  }

  async append(request: AppendRequest, options: AppendOptions): Promise<AppendVerdict> {
    return this.#append(request, options);
  }

  async appendLocked(
    condition: readonly ConditionItem[],
    decide: (newer: readonly StoredEvent[]) => AppendRequest,
    options: AppendOptions,
  ): Promise<AppendVerdict> {
    const newer = condition.length === 0 ? [] : this.#newer(condition);
    return this.#append(decide(newer), options);
  }

  /**
   * All or nothing, as a processor: when any verdict isn't `appended`, or one can't be had, none of
   * them counts.
   */
  appendAll(requests: readonly AppendRequest[]): readonly AppendVerdict[] {
    const forget = this.#checkpoint();
    const restore = requests.some(({ alongside }) => alongside) && this.#alongside.checkpoint();
    let verdicts: readonly AppendVerdict[] = [];
    try {
      verdicts = requests.map((request) => this.#append(request, { as: "processor" }));
      return verdicts;
    } finally {
      const kept = verdicts.filter(({ outcome }) => outcome === "appended");
      if (kept.length < requests.length) {
        forget();
        if (restore) restore();
      }
    }
  }

  async *read(
    query: ReadEvents,
    options?: { readonly pageSize?: number },
  ): AsyncGenerator<StoredEvent[]> {
    const found = this.#find(query);
    const pageSize = options?.pageSize ?? 1_000;
    for (let at = 0; at < found.length; at += pageSize) yield found.slice(at, at + pageSize);
  }

  async safePosition(): Promise<GlobalPosition> {
    return this.#events.at(-1)?.position ?? globalPosition(0);
  }

  async *subscribe(query: ReadEvents, signal: AbortSignal): AsyncGenerator<StoredEvent[]> {
    let after = query.after ?? globalPosition(0);
    let left = query.limit ?? Number.POSITIVE_INFINITY;
    while (!signal.aborted && left > 0) {
      const page = this.#find({
        ...query,
        after,
        order: "ascending",
        limit: Math.min(left, 1_000),
      });
      if (page.length > 0) yield page;
      left -= page.length;
      after = page.at(-1)?.position ?? after;
      const seen = page.length > 0 ? after : await this.safePosition();
      if (query.upTo !== undefined && seen >= query.upTo) return;
      const wait = this.#options.pollIntervalMs ?? 20;
      if (page.length === 0) await this.#options.clock.sleep(wait, signal);
    }
  }

  async lanes(topic: string): Promise<readonly LaneEnd[]> {
    return [...this.#lanes.values()]
      .filter((lane) => lane.topic === topic)
      .sort((one, other) => one.partition - other.partition);
  }

  async nowMs(): Promise<number> {
    return this.#nowMs();
  }

  async incarnation(): Promise<string> {
    return this.#options.incarnation ?? "memory";
  }

  #nowMs(): number {
    return this.hold.held?.clockMs ?? Math.floor(this.#options.clock.nowMs());
  }

  /** @returns what forgets the events that have come since. */
  #checkpoint(): () => void {
    const count = this.#events.length;
    const lanes = new Map(this.#lanes);
    return () => {
      for (const { id } of this.#events.splice(count)) this.#byId.delete(id);
      this.#lanes = lanes;
    };
  }

  #append(request: AppendRequest, options: AppendOptions): AppendVerdict {
    const { alongside } = request;
    if (alongside === undefined) return this.#appendEvents(request, options);
    const kept = this.#alongside.repeated(alongside);
    if (kept.length > 0) return { outcome: "repeated", kept };
    const forget = this.#checkpoint();
    const verdict = this.#appendEvents(request, options);
    try {
      return verdict.outcome === "appended" ? this.#alongside.write(request, verdict) : verdict;
    } catch (error) {
      forget();
      throw error;
    }
  }

  #appendEvents(request: AppendRequest, options: AppendOptions): AppendVerdict {
    assertTimesAreTheHolders(request, options);
    const duplicate = this.#duplicate(request);
    if (duplicate) return duplicate;
    const held = this.#refusedByHold(options);
    if (held) return held;
    const newer = this.#newer(request.condition);
    const newerMax = this.#options.newerMax ?? 500;
    if (newer.length > 0) {
      return {
        outcome: "conflict",
        newer: newer.slice(0, newerMax),
        cut: newer.length > newerMax,
      };
    }
    const recordedAtMs = this.#timeFor(request.events);
    const { notBeforeMs = -Infinity, beforeMs = Infinity } = request.time ?? {};
    if (recordedAtMs < notBeforeMs || recordedAtMs >= beforeMs) {
      return { outcome: "out-of-time", recordedAtMs };
    }
    const events = request.events.map((event) => this.#insert(event, recordedAtMs));
    const last = events.at(-1)?.recordedAtMs ?? recordedAtMs;
    return { outcome: "appended", events, duplicate: false, recordedAtMs: last };
  }

  #duplicate({ events }: AppendRequest): AppendVerdict | undefined {
    const there = events.flatMap((event) => this.#byId.get(event.id) ?? []);
    if (events.length === 0 || there.length < events.length) return undefined;
    return {
      outcome: "appended",
      events: there.map(appended),
      duplicate: true,
      recordedAtMs: there[0]?.recordedAtMs ?? this.#nowMs(),
    };
  }

  #refusedByHold({ as }: AppendOptions): AppendVerdict | undefined {
    const name = this.hold.held?.name;
    if (typeof as === "object" && name === undefined) {
      throw new FatalError(
        "hold-lost",
        "An append named itself the holder of the event store, and nobody holds the store.",
        "Take the hold again before appending.",
      );
    }
    if (name === undefined || as === "processor") return undefined;
    return typeof as === "object" && as.holder === name ? undefined : { outcome: "held", by: name };
  }

  #newer(condition: readonly ConditionItem[]): StoredEvent[] {
    return this.#events.filter((event) =>
      condition.some((item) => event.position > item.after && matches(event, item)),
    );
  }

  #timeFor(events: readonly NewEvent[]): number {
    const lanes = events.map((event) => this.#lanes.get(laneKey(event))?.lastRecordedAtMs ?? 0);
    return lanes.reduce((latest, laneMs) => Math.max(latest, laneMs), this.#nowMs());
  }

  #insert(event: NewEvent, nowMs: number): AppendedEvent {
    const there = this.#byId.get(event.id);
    if (there) return appended(there);
    const lane = laneKey(event);
    const laneMs = this.#lanes.get(lane)?.lastRecordedAtMs ?? 0;
    const recordedAtMs = Math.max(Math.ceil(event.recordedAtMs ?? nowMs), laneMs);
    if (event.recordedAtMs !== undefined) this.hold.moveOn(recordedAtMs);
    const stored: StoredEvent = {
      ...event,
      value: Buffer.from(event.value),
      position: globalPosition(this.#events.length + 1),
      sequence: sequence((this.#lanes.get(lane)?.lastSequence ?? 0n) + 1n),
      recordedAtMs,
      incarnation: this.#options.incarnation ?? "memory",
    };
    this.#events.push(stored);
    this.#byId.set(stored.id, stored);
    this.#lanes.set(lane, {
      topic: stored.topic,
      partition: stored.partition,
      lastSequence: stored.sequence,
      lastEventId: stored.id,
      lastRecordedAtMs: recordedAtMs,
    });
    return appended(stored);
  }

  #find(query: ReadEvents): StoredEvent[] {
    const { items = [], lane, after = 0n, upTo, atMs, correlationId, id } = query;
    const found = this.#events.filter(
      (event) =>
        event.position > after &&
        (upTo === undefined || event.position <= upTo) &&
        (atMs === undefined || event.recordedAtMs <= atMs) &&
        (lane === undefined || inLane(event, lane)) &&
        (id === undefined || event.id === id) &&
        (correlationId === undefined || event.correlationId === correlationId) &&
        (items.length === 0 || items.some((item) => isAsked(event, item))),
    );
    if (query.order === "descending") found.reverse();
    return query.limit === undefined ? found : found.slice(0, query.limit);
  }
}

const laneKey = (event: NewEvent): string => `${event.topic}/${event.partition}`;

const appended = ({ position, sequence, recordedAtMs }: StoredEvent): AppendedEvent => ({
  position,
  sequence,
  recordedAtMs,
});

function matches(event: NewEvent, item: QueryItem): boolean {
  if (item.types && !item.types.includes(event.type)) return false;
  return (item.tags ?? []).every((tag) => event.tags.includes(tag));
}

const isAsked = (event: StoredEvent, item: ReadItem): boolean =>
  event.position > (item.after ?? 0n) && matches(event, item);

function inLane(event: NewEvent, lane: NonNullable<ReadEvents["lane"]>): boolean {
  if (event.topic !== lane.topic) return false;
  if (lane.partition !== undefined && event.partition !== lane.partition) return false;
  return lane.key === undefined || event.key === lane.key;
}
