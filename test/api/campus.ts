import { isDeepStrictEqual } from "node:util";

import type { CommandCall } from "../../engine/decision/definition.ts";
import type { CallMore, CallOnce } from "../../engine/decision/group.ts";
import type { CommandResult, Origin } from "../../engine/decision/outcome.ts";
import { header } from "../../engine/envelope.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { MemoryGenerations } from "../../engine/memory/generations.ts";
import { MemoryIdempotencyKeys } from "../../engine/memory/idempotency-keys.ts";
import { MemoryReadModelReader } from "../../engine/memory/read-model-reader.ts";
import { MemoryRebuilds } from "../../engine/memory/rebuilds.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import type {
  EventStore,
  LaneEnd,
  ReadEvents,
  StoredEvent,
} from "../../engine/ports/event-store.ts";
import type { Generation, OwnedPartition } from "../../engine/ports/read-model-store.ts";
import { encodePositionToken } from "../../engine/position-token.ts";
import { globalPosition, offset, sequence } from "../../engine/position.ts";
import type { AnyProjection, ErasedEventProjection } from "../../engine/projection.ts";
import { moduleCatalogue, type ModuleRow } from "../../projections/module-catalogue/index.ts";
import { enrolments } from "../../projections/enrolments/index.ts";
import { payments } from "../../projections/payments/index.ts";
import { sessions } from "../../projections/sessions/index.ts";
import { registrations } from "../../projections/registrations/index.ts";
import { waitingLists } from "../../projections/waiting-lists/index.ts";
import {
  availableSeats,
  seatAvailability,
  type SeatAvailabilityRow,
} from "../../projections/seat-availability/index.ts";
import { SeatAvailableChanged } from "../../schemas/index.ts";
import {
  enrolmentEvents,
  moduleEvents,
  paymentEvents,
  registrationUpdates,
  sessionEvents,
} from "../../schemas/topics.ts";
import { realClock } from "./real-clock.ts";
import { foldFacts, ModuleHistory, type RecordedFact } from "../app/module-history.ts";
import { CampusPast } from "./campus-past.ts";

interface Opened {
  readonly generation: Generation;
  owned: readonly OwnedPartition[];
  rows: ReadonlyMap<string, unknown>;
}

type Row = Readonly<Record<string, unknown>>;

/**
 * The application on the in-memory adapters, one step at a time: commands are decided against a
 * history, and `project` is the moment when read models and notices follow.
 */
export class Campus {
  readonly incarnation = "campus-1";
  readonly history = new ModuleHistory();
  readonly codec = new JsonCodec();
  readonly log = new MemoryRecordLog();
  readonly origins: Origin[] = [];
  readonly idempotencyKeys = new MemoryIdempotencyKeys({ clock: realClock });
  /** Name of an import that holds the store. */
  heldBy: string | undefined;
  /** Set: read models stay where they are until `project` is called. */
  frozen = false;
  /** Set: the next command fails with it. */
  failure: Error | undefined;

  readonly #store = new MemoryReadModelStore();
  readonly #opened = new Map<string, Opened>();
  readonly #noticeLanes: number[] = [];
  readonly reader = new MemoryReadModelReader({ store: this.#store });
  readonly generations = new MemoryGenerations({ store: this.#store, clock: realClock });
  readonly rebuilds = new MemoryRebuilds({ generations: this.generations, clock: realClock });
  readonly projections = [
    seatAvailability,
    registrations,
    waitingLists,
    payments,
    enrolments,
    sessions,
    moduleCatalogue,
  ];

  static async open(): Promise<Campus> {
    const campus = new Campus();
    for (const topic of [moduleEvents, paymentEvents, enrolmentEvents, sessionEvents]) {
      await campus.codec.prepare(topic);
    }
    await campus.codec.prepare(registrationUpdates);
    await campus.log.ensureTopic({ name: registrationUpdates.name, partitions: 10 });
    for (const projection of campus.projections) {
      await campus.#open(projection);
    }
    return campus;
  }

  async execute<Answer>(
    call: CommandCall<Answer>,
    origin: Origin,
    { once }: CallMore<Answer> = {},
  ): Promise<CommandResult<Answer>> {
    this.origins.push(origin);
    if (this.failure !== undefined) throw this.failure;
    if (this.heldBy !== undefined) return { outcome: "held", by: this.heldBy };
    const result = this.#decide(call);
    if (once !== undefined) this.#keep(once, result);
    if (!this.frozen) await this.project();
    return result;
  }

  #keep(once: CallOnce, result: CommandResult): void {
    if (result.outcome !== "accepted" && result.outcome !== "refused") return;
    const recorded = result.outcome === "accepted" ? result.recorded : [];
    const decision = { ...result, facts: recorded.map(({ fact }) => fact) };
    const events = new Map(recorded.map(({ at }) => [`event-${at.position}`, at]));
    const mark = { ...once, answer: once.answer(decision), events: [...events.keys()] };
    this.idempotencyKeys.keep([mark], events);
  }

  #decide<Answer>(call: CommandCall<Answer>): CommandResult<Answer> {
    const recordedAtMs = this.history.nowMs;
    const decision = this.history.do(call);
    if (decision.kind === "refused") {
      return { outcome: "refused", refusal: decision.refusal, recordedAtMs };
    }
    const { answer, facts } = decision;
    const before = this.history.facts.length - facts.length;
    const recorded = facts.map((fact, at) => {
      const position = globalPosition(before + at + 1);
      const last = this.#last(laneOf(fact), before + at + 1);
      return { fact, at: { position, sequence: sequence(last), recordedAtMs } };
    });
    return { outcome: "accepted", answer, recorded, recordedAtMs };
  }

  /** Brings the read models to the end of the history, and publishes what changed. */
  async project(): Promise<void> {
    for (const projection of [registrations, waitingLists, payments, enrolments, sessions]) {
      await this.#flush(projection);
    }
    const changed = await this.#flush(seatAvailability);
    for (const [key, row] of changed) {
      await this.#notify(key, row as SeatAvailabilityRow | undefined);
    }
  }

  /** Puts a row into the catalogue's read model, as its table would. */
  async catalogue(...rows: readonly ModuleRow[]): Promise<void> {
    const { generation } = this.#of(moduleCatalogue);
    await this.past.catalogue(rows);
    const mutations = rows.map((row) => ({ key: row.code, partition: 0, row }));
    const nothing = { advances: [], digests: [], notices: [], deadLetters: [] };
    await this.#store.flush({ generation, rows: mutations, ...nothing });
  }

  readonly eventStore: Pick<EventStore, "append" | "read" | "lanes" | "incarnation" | "nowMs"> = {
    append: async () => ({
      outcome: "appended",
      events: [],
      duplicate: false,
      recordedAtMs: this.history.nowMs,
    }),
    read: (query) => this.#read(query),
    lanes: async (topic) => this.#laneEnds(topic),
    incarnation: async () => this.incarnation,
    nowMs: async () => this.history.nowMs,
  };

  /** What is recorded stands in a log of its own when the past is asked for. */
  readonly past = new CampusPast(this);

  async *#read({ items = [], atMs = Infinity }: ReadEvents): AsyncIterable<StoredEvent[]> {
    const wanted = items.flatMap((item) => item.tags ?? []);
    const lanes = new Map<string, number>();
    const events = this.history.facts.map((fact, index): StoredEvent => {
      const key = keyOf(fact);
      const lane = laneOf(fact);
      const last = (lanes.get(nameOf(lane)) ?? 0) + 1;
      lanes.set(nameOf(lane), last);
      return {
        id: `event-${index}`,
        type: fact.type.fullName,
        ...lane,
        key,
        value: this.codec.encode(fact.topic, fact.type, fact.event),
        tags: tagsOf(fact),
        correlationId: "test",
        position: globalPosition(index + 1),
        sequence: sequence(last),
        recordedAtMs: fact.recordedAtMs,
        incarnation: this.incarnation,
      };
    });
    yield events.filter(
      ({ tags, recordedAtMs }) => recordedAtMs <= atMs && wanted.every((tag) => tags.includes(tag)),
    );
  }

  /** The last sequence of a lane, of so many facts of the history (default: all). */
  #last(lane: Lane, facts?: number): number {
    const isOfLane = (fact: RecordedFact): boolean => nameOf(laneOf(fact)) === nameOf(lane);
    return this.history.facts.slice(0, facts).filter(isOfLane).length;
  }

  #laneEnds(topic: string): LaneEnd[] {
    const partitions = Array.from({ length: 10 }, (_, partition) => partition);
    return partitions.flatMap((partition) => {
      const last = this.#last({ topic, partition });
      const end = { topic, partition, lastSequence: sequence(last) };
      return last === 0 ? [] : [{ ...end, lastRecordedAtMs: this.history.nowMs }];
    });
  }

  async #open(projection: AnyProjection): Promise<void> {
    const { name, version, row, from } = projection;
    const topics = [from]
      .flat()
      .map(({ name: topic, partitions }) => ({ name: topic, partitions }));
    const model = { projection: name, version, columns: row, indexes: [], topics };
    const generation = await this.#store.open(model);
    const partitions = topics.flatMap((topic) =>
      Array.from({ length: topic.partitions }, (_, partition) => ({
        topic: topic.name,
        partition,
      })),
    );
    const owned = await this.#store.claim(generation, partitions);
    this.#opened.set(name, { generation, owned, rows: new Map() });
  }

  #of(projection: { readonly name: string }): Opened {
    const opened = this.#opened.get(projection.name);
    if (opened === undefined) throw new Error(`${projection.name} was not opened.`);
    return opened;
  }

  /** Writes what differs; gives the changed rows. */
  async #flush(projection: ErasedEventProjection): Promise<Map<string, Row | undefined>> {
    const opened = this.#of(projection);
    const topics = new Set([projection.from].flat().map(({ name }) => name));
    const facts = this.history.facts.filter(({ topic }) => topics.has(topic.name));
    const rows = foldFacts(projection, facts) as ReadonlyMap<string, Row>;
    const changed = new Map<string, Row | undefined>();
    for (const key of opened.rows.keys()) if (!rows.has(key)) changed.set(key, undefined);
    for (const [key, row] of rows) {
      if (!isDeepStrictEqual(opened.rows.get(key), row)) changed.set(key, row);
    }
    opened.rows = rows;
    const { generation } = opened;
    const advances = this.#advances(opened);
    const mutations = [...changed].map(([key, row]) => ({ key, partition: 0, row }));
    const rest = { digests: [], notices: [], deadLetters: [] };
    await this.#store.flush({ generation, advances, rows: mutations, ...rest });
    opened.owned = opened.owned.map((owned) => {
      const moved = advances.find(
        ({ topic, partition }) => partition === owned.partition && topic === owned.topic,
      );
      return moved === undefined ? owned : { ...owned, position: moved.to };
    });
    return changed;
  }

  #advances({ owned }: Opened) {
    return owned.flatMap(({ topic, partition, epoch, position }) => {
      const last = this.#last({ topic, partition });
      if (last === 0) return [];
      const nextSequence = sequence(last + 1);
      const source = { kind: "lane", incarnation: this.incarnation, nextSequence } as const;
      const to = { logId: "log", nextOffset: offset(last), source };
      const lastRecordedAtMs = this.history.nowMs;
      return [{ topic, partition, epoch, from: position, to, records: 1, lastRecordedAtMs }];
    });
  }

  async #notify(moduleCode: string, row: SeatAvailabilityRow | undefined): Promise<void> {
    const { capacity, held, confirmed } = row ?? { capacity: 0, held: 0, confirmed: 0 };
    const available = availableSeats({ capacity, held, confirmed });
    const seats = { moduleCode, capacity, held, confirmed, available };
    const partition = partitionOf(moduleCode, 10);
    const lane = {
      topic: moduleEvents.name,
      partition,
      sequence: sequence(this.#last({ topic: moduleEvents.name, partition })),
    };
    const sourcePosition = encodePositionToken({ incarnation: this.incarnation, lanes: [lane] });
    await this.publish({ ...seats, sourcePosition });
  }

  /** Appends a notice to the log, or one that was published before (`again`) once more. */
  async publish(event: SeatAvailableChanged, again?: { readonly sequence: number }): Promise<void> {
    const partition = partitionOf(event.moduleCode, 10);
    const last = (this.#noticeLanes[partition] ?? 0) + 1;
    if (again === undefined) this.#noticeLanes[partition] = last;
    const value = this.codec.encode(registrationUpdates, SeatAvailableChanged, event);
    const headers = [
      { name: header.sequence, value: Buffer.from(String(again?.sequence ?? last)) },
      { name: header.incarnation, value: Buffer.from(this.incarnation) },
    ];
    const record = { timestampMs: 0, key: Buffer.from(event.moduleCode), value, headers };
    await this.log.append([{ topic: registrationUpdates.name, partition, records: [record] }]);
  }
}

/** Every event is tagged with every id that it carries. */
const tagsOf = ({ topic, event }: Pick<RecordedFact, "topic" | "event">): string[] =>
  Object.entries(topic.tags).flatMap(([field, kind]) => {
    const id = (event as Row)[field];
    return typeof id === "string" ? [`${kind}:${id}`] : [];
  });

interface Lane {
  readonly topic: string;
  readonly partition: number;
}

const laneOf = (fact: Pick<RecordedFact, "topic" | "event">): Lane => ({
  topic: fact.topic.name,
  partition: partitionOf(keyOf(fact), 10),
});

const nameOf = ({ topic, partition }: Lane): string => `${topic} ${partition}`;

const keyOf = ({ topic, event }: Pick<RecordedFact, "topic" | "event">): string =>
  String((event as Row)[topic.key]);
