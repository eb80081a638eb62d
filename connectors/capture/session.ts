import { Client } from "pg";

import { lsn } from "../../engine/position.ts";
import type { CapturePosition } from "../../engine/ports/capture-sink.ts";
import type { CaptureSettings } from "./options.ts";
import { PgoutputReader, type KeepaliveReply } from "./pgoutput/messages.ts";
import type { Progress } from "./progress.ts";
import { pinnedSettings, ReplicationConnection } from "./replication-connection.ts";
import { TransactionAssembler } from "./routing/assembler.ts";
import { PublishQueue } from "./routing/publish-queue.ts";
import { admitEmpty } from "./server/added-tables.ts";
import { checkWalLevel, ensurePublication } from "./server/publication.ts";
import { readServer, resumeFault } from "./server/resume-check.ts";
import { readSlot, untilSlotFree } from "./server/slot.ts";
import { snapshotParts } from "./server/snapshot.ts";
import { CapturedTables } from "./tables/captured-tables.ts";
import { parseTableName } from "./tables/names.ts";

export interface SessionOptions {
  readonly settings: CaptureSettings;
  readonly progress: Progress;
  /** Called when changes begin to flow: the slot exists, and what came before it is published. */
  readonly onStreaming: () => void;
}

type Streaming = CapturePosition & {
  readonly completeLsn: NonNullable<CapturePosition["completeLsn"]>;
};

/** One connection's life: checks, snapshot where there was none, and the stream until it ends. */
export class CaptureSession implements AsyncDisposable {
  readonly #settings: CaptureSettings;
  readonly #options: SessionOptions;
  readonly #control: Client;
  readonly #replication: ReplicationConnection;

  constructor(options: SessionOptions) {
    const { url, limits } = options.settings;
    this.#options = options;
    this.#settings = options.settings;
    this.#control = new Client({
      connectionString: url,
      application_name: "refold capture",
      connectionTimeoutMillis: limits.connectTimeoutMs,
      keepAlive: true,
      options: pinnedSettings,
    });
    // The next query tells.
    this.#control.on("error", () => undefined);
    this.#replication = new ReplicationConnection({
      url,
      applicationName: "refold capture stream",
      receivedBytesMax: limits.receivedBytesMax,
      connectTimeoutMs: limits.connectTimeoutMs,
    });
  }

  /** Runs until the signal aborts; what is in flight then is published and confirmed. */
  async run(signal: AbortSignal): Promise<void> {
    const { settings } = this.#options;
    await this.#control.connect();
    await checkWalLevel(this.#control);
    const tables = new CapturedTables(settings, this.#control, await this.#database());
    await tables.check();
    const published = await settings.sink.open();
    await this.#publication(isStreaming(published) ? "going on" : "beginning");
    await this.#replication.open();
    const position = isStreaming(published)
      ? await this.#resume(published, signal)
      : await this.#begin(tables, signal);
    if (!signal.aborted) await this.#stream(tables, position, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#replication[Symbol.asyncDispose]();
    await this.#control.end().catch(() => undefined);
  }

  /** Tables that come to a capture that goes on have no snapshot, and so must have no rows. */
  async #publication(stage: "beginning" | "going on"): Promise<void> {
    const { sink, slot, tables, outboxTables, publication } = this.#settings;
    const names = [...outboxTables, ...tables.map((table) => table.name)];
    const publish = (): Promise<void> =>
      ensurePublication(this.#control, publication, names.map(parseTableName));
    const known = stage === "beginning" ? names : await sink.tables();
    const added = names.filter((name) => known && !known.includes(name));
    if (added.length === 0) await publish();
    else await admitEmpty(this.#control, { tables: added, slot }, publish);
    // Afterwards: a crash before it may refuse a table that could be captured, and loses nothing.
    await sink.setTables(names);
  }

  async #database(): Promise<string> {
    const { rows } = await this.#control.query<{ name: string }>(
      "select current_database()::text as name",
    );
    return rows[0]?.name ?? "";
  }

  /** Nothing was published, or an incomplete snapshot: a slot from then is of no use. */
  async #begin(tables: CapturedTables, signal: AbortSignal): Promise<Streaming> {
    const { sink, slot: name } = this.#settings;
    if (await readSlot(this.#control, name)) {
      await this.#slotFree(signal);
      await this.#replication.dropSlot(name);
    }
    const slot = await this.#replication.createSlot(name);
    await sink.setSource((await readServer(this.#control)).identity);
    const complete = { changesAfter: 0, commitLsn: lsn(0), completeLsn: lsn(slot.consistentLsn) };
    const parts = snapshotParts({
      client: this.#control,
      settings: this.#settings,
      tables,
      slot,
    });
    if (sink.publishSnapshot) await sink.publishSnapshot(parts, complete);
    else {
      for await (const part of parts) {
        await sink.publish(part, { commitLsn: lsn(0), changesAfter: 0 });
      }
      await sink.publish([], complete);
    }
    return complete;
  }

  async #resume(position: Streaming, signal: AbortSignal): Promise<Streaming> {
    const { sink, slot } = this.#settings;
    const completeLsn = Number(position.completeLsn);
    const source = await sink.source();
    const fault = await resumeFault(this.#control, { slot, completeLsn, source });
    if (fault) throw fault;
    await sink.setSource((await readServer(this.#control)).identity);
    await this.#slotFree(signal);
    return position;
  }

  #slotFree(signal: AbortSignal): Promise<void> {
    const { slot, clock, limits } = this.#settings;
    return untilSlotFree(this.#control, slot, { clock, timeoutMs: limits.slotWaitMs, signal });
  }

  async #stream(tables: CapturedTables, from: Streaming, signal: AbortSignal): Promise<void> {
    const { slot, publication } = this.#settings;
    const fromLsn = Number(from.completeLsn);
    await this.#replication.stream({ slot, publication, fromLsn });
    const flow = new Flow({ ...this.#options, replication: this.#replication, tables, from });
    this.#options.onStreaming();
    await flow.run(signal);
  }
}

function isStreaming(position: CapturePosition | undefined): position is Streaming {
  return position?.completeLsn !== undefined;
}

interface FlowOptions extends SessionOptions {
  readonly replication: ReplicationConnection;
  readonly tables: CapturedTables;
  readonly from: Streaming;
}

/** The stream's changes on their way to the sink, and the confirmations back. */
class Flow {
  readonly #options: FlowOptions;
  readonly #queue: PublishQueue;
  readonly #assembler: TransactionAssembler;
  /** Everything before it is published and durable. */
  #completeLsn: number;
  #failure: { readonly error: unknown } | undefined;
  readonly #broken = new AbortController();

  constructor(options: FlowOptions) {
    const { settings, from, tables } = options;
    this.#options = options;
    this.#completeLsn = Number(from.completeLsn);
    this.#queue = new PublishQueue({
      sink: settings.sink,
      batchRecordsMax: settings.limits.batchRecordsMax,
      batchBytesMax: settings.limits.batchBytesMax,
      onPublished: (upTo, records) => this.#published(upTo, records),
      onFailure: (error) => this.#fail(error),
    });
    this.#queue.whenDone(() => this.#publishIfWhole());
    this.#assembler = new TransactionAssembler({
      from: { commitLsn: Number(from.commitLsn), changesAfter: from.changesAfter },
      emit: (topic, partition, record) => {
        settings.onRecord?.(topic, partition, record);
        this.#queue.add(topic, partition, record);
      },
      routeOf: (relation) =>
        tables.route(
          relation,
          relation.columns.map((column) => column.name),
        ),
      onCommit: () => this.#publishIfWhole(),
      onKeepalive: (walEnd, reply) => this.#keepalive(walEnd, reply),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, this.#broken.signal]);
    const reader = new PgoutputReader(this.#assembler);
    const confirming = this.#confirmRegularly(until);
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
      await confirming;
      await this.#queue.settled();
    }
    if (this.#failure) throw this.#failure.error;
  }

  /** A transaction too large for one batch goes out in parts. */
  async #makeRoom(): Promise<void> {
    await this.#queue.settled();
    if (this.#queue.full) this.#publish();
  }

  #publishIfWhole(): void {
    if (!this.#queue.busy && !this.#queue.empty && !this.#assembler.inTransaction) this.#publish();
  }

  #publish(): void {
    const place = this.#assembler.place;
    this.#queue.publish(place, Math.max(place.commitLsn, this.#completeLsn));
  }

  #published(upTo: CapturePosition, records: number): void {
    this.#completeLsn = Number(upTo.completeLsn);
    const { progress, settings } = this.#options;
    progress.published(upTo.commitLsn, records);
    progress.lagBytes = Math.max(0, this.#assembler.endOfWal - this.#completeLsn);
    settings.metrics.count("capture_changes_total", records);
  }

  /**
   * Nothing captured lies before `walEnd` when nothing is gathered or in flight. The position moves
   * there before the server is told, so that a slot beyond the position always means lost changes;
   * and seldom, for moving it writes WAL too.
   */
  #keepalive(walEnd: number, reply: KeepaliveReply): void {
    const { settings, progress, replication } = this.#options;
    const isIdle = this.#queue.idle && !this.#assembler.inTransaction;
    if (isIdle) progress.lagBytes = 0;
    const passed = walEnd - this.#completeLsn;
    const due = reply === "asked" ? 1 : settings.limits.idleWalBytesMax;
    if (isIdle && passed >= due) this.#queue.publish(this.#assembler.place, walEnd);
    else if (reply === "asked") replication.confirm(this.#completeLsn);
  }

  async #confirmRegularly(until: AbortSignal): Promise<void> {
    const { settings, progress, replication } = this.#options;
    while (!until.aborted) {
      await settings.clock.sleep(settings.limits.statusIntervalMs, until);
      replication.confirm(this.#completeLsn);
      settings.metrics.gauge("capture_lag_bytes", progress.lagBytes);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#broken.abort();
  }
}
