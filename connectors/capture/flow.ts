import type { ClientBase } from "pg";

import type { CapturePosition } from "../../engine/ports/capture-sink.ts";
import type { RecordToAppend } from "../../engine/ports/record-log.ts";
import { beatRegularly } from "./heartbeats.ts";
import { IdleWal } from "./idle-wal.ts";
import type { CaptureSettings } from "./options.ts";
import { PgoutputReader, type KeepaliveReply } from "./pgoutput/messages.ts";
import type { Progress } from "./progress.ts";
import type { ReplicationConnection } from "./replication-connection.ts";
import { markPrefix } from "./incremental/chunk-reader.ts";
import { IncrementalSnapshot } from "./incremental/incremental-snapshot.ts";
import { parseProgress } from "./incremental/progress.ts";
import { TransactionAssembler, type AssemblerOptions } from "./routing/assembler.ts";
import type { NewTopics } from "./routing/new-topics.ts";
import type { OpenTopics } from "./routing/own-topics.ts";
import { PublishQueue } from "./routing/publish-queue.ts";
import type { CapturedTables } from "./tables/captured-tables.ts";

/** A position from which the stream goes on: the snapshot before it is whole. */
export type Streaming = CapturePosition & {
  readonly completeLsn: NonNullable<CapturePosition["completeLsn"]>;
};

export interface FlowOptions {
  readonly settings: CaptureSettings;
  readonly progress: Progress;
  readonly replication: ReplicationConnection;
  /** A connection for queries. */
  readonly control: ClientBase;
  readonly tables: CapturedTables;
  readonly topics: OpenTopics;
  readonly newTopics: NewTopics;
  readonly from: Streaming;
}

/** What reads marks of chunks among the messages. */
type Marks = (prefix: string) => ReturnType<AssemblerOptions["messagesOf"]>;

/** The stream's changes on their way to the sink, and the confirmations back. */
export class Flow {
  readonly #options: FlowOptions;
  readonly #queue: PublishQueue;
  readonly #assembler: TransactionAssembler;
  /** Everything before it is published and durable. */
  #completeLsn: number;
  #failure: { readonly error: unknown } | undefined;
  readonly #broken = new AbortController();
  readonly #idle: IdleWal;
  readonly #incremental: IncrementalSnapshot;

  constructor(options: FlowOptions) {
    const { settings, from, tables, topics, newTopics, control } = options;
    const { limits, clock } = settings;
    this.#options = options;
    this.#idle = new IdleWal({
      client: control,
      clock,
      walBytesMax: limits.idleWalBytesMax,
      intervalMs: limits.idleIntervalMs,
    });
    this.#completeLsn = Number(from.completeLsn);
    this.#incremental = new IncrementalSnapshot({
      settings,
      database: tables.source.database,
      progress: parseProgress(from.incremental),
      onFailure: (error) => this.#fail(error),
    });
    this.#queue = new PublishQueue({
      incremental: () => this.#incremental.kept,
      sink: settings.sink,
      newTopics,
      batchRecordsMax: limits.batchRecordsMax,
      batchBytesMax: limits.batchBytesMax,
      onPublished: (upTo, records) => this.#published(upTo, records),
      onFailure: (error) => this.#fail(error),
    });
    this.#queue.whenDone(() => this.#publishIfWhole());
    this.#assembler = new TransactionAssembler({
      from: { commitLsn: Number(from.commitLsn), changesAfter: from.changesAfter },
      transactions: topics.transactions,
      messagesOf: this.#messagesOf,
      nowMs: () => clock.nowMs(),
      emit: (topic, partition, record) => this.#emit(topic, partition, record),
      routeOf: async (relation) => this.#incremental.watch(relation, await tables.route(relation)),
      onCommit: () => this.#publishIfWhole(),
      onKeepalive: (walEnd, reply) => this.#keepalive(walEnd, reply),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, this.#broken.signal]);
    const reader = new PgoutputReader(this.#assembler);
    const confirming = this.#confirmRegularly(until);
    const beating = this.#beat(until);
    this.#incremental.start();
    try {
      for (;;) {
        const chunk = await this.#options.replication.next(until);
        if (!chunk) break;
        await reader.read(chunk);
        if (this.#queue.full) await this.#makeRoom();
        if (this.#failure || signal.aborted) break;
      }
      await this.#queue.settled();
      this.#options.replication.confirm(this.#completeLsn);
    } finally {
      this.#broken.abort();
      await Promise.all([confirming, beating, this.#incremental[Symbol.asyncDispose]()]);
      await this.#queue.settled();
    }
    if (this.#failure) throw this.#failure.error;
  }

  readonly #messagesOf: Marks = (prefix) =>
    prefix === markPrefix
      ? Promise.resolve(this.#incremental.marks)
      : this.#options.topics.messagesOf(prefix);

  /** A transaction too large for one batch goes out in parts. */
  async #makeRoom(): Promise<void> {
    await this.#queue.settled();
    if (this.#queue.full) this.#publish();
  }

  #publishIfWhole(): void {
    if (!this.#queue.busy && !this.#queue.empty && !this.#assembler.inTransaction) this.#publish();
  }

  #emit(topic: string, partition: number, record: RecordToAppend): void {
    this.#options.settings.onRecord?.(topic, partition, record);
    this.#queue.add(topic, partition, record);
  }

  #publish(): void {
    const place = this.#assembler.place;
    this.#queue.publish(place, Math.max(place.resumeLsn, this.#completeLsn));
  }

  #published(upTo: CapturePosition, records: number): void {
    this.#completeLsn = Number(upTo.completeLsn);
    const { progress, settings } = this.#options;
    progress.published(upTo.commitLsn, records);
    progress.covered(this.#completeLsn);
    settings.metrics.count("capture_changes_total", records);
  }

  /**
   * Nothing captured lies before `walEnd` when nothing is gathered or in flight. The position moves
   * there before the server is told, so that a slot beyond the position always means lost changes;
   * and seldom, for moving it writes WAL too.
   */
  #keepalive(walEnd: number, reply: KeepaliveReply): void {
    const { progress, replication } = this.#options;
    const isIdle = this.#queue.idle && !this.#assembler.inTransaction;
    if (isIdle) progress.covered(walEnd);
    const isAsked = reply === "asked";
    const isDue = isAsked
      ? walEnd > this.#completeLsn
      : this.#idle.isDue(walEnd, this.#completeLsn);
    if (isIdle && isDue) this.#moveOn(walEnd);
    else if (isAsked) replication.confirm(this.#completeLsn);
  }

  #moveOn(walEnd: number): void {
    this.#idle.moving();
    this.#queue.publish(this.#assembler.place, walEnd);
    const moved = this.#queue.settled().then(() => this.#idle.moved());
    moved.catch((error: unknown) => this.#fail(error));
  }

  async #beat(until: AbortSignal): Promise<void> {
    const { control, settings, topics } = this.#options;
    const { heartbeats } = topics;
    const { heartbeat } = settings.stream;
    if (!heartbeat || !heartbeats) return;
    const beat = (nowMs: number): void => {
      heartbeats.beat(nowMs, (topic, partition, record) => this.#emit(topic, partition, record));
      this.#publishIfWhole();
    };
    try {
      await beatRegularly({ client: control, clock: settings.clock, heartbeat, beat }, until);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #confirmRegularly(until: AbortSignal): Promise<void> {
    const { settings, replication } = this.#options;
    while (!until.aborted) {
      await settings.clock.sleep(settings.limits.statusIntervalMs, until);
      replication.confirm(this.#completeLsn);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#broken.abort();
  }
}
