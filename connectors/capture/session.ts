import type { Client } from "pg";

import { lsn } from "../../engine/position.ts";
import type { CapturePosition } from "../../engine/ports/capture-sink.ts";
import { Flow, type Streaming } from "./flow.ts";
import type { CaptureSettings } from "./options.ts";
import type { Progress } from "./progress.ts";
import type { ReplicationConnection } from "./replication-connection.ts";
import { OwnTopics } from "./routing/own-topics.ts";
import { admitEmpty } from "./server/added-tables.ts";
import { controlClient, replicationConnection } from "./server/connections.ts";
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

/** One connection's life: checks, snapshot where there was none, and the stream until it ends. */
export class CaptureSession implements AsyncDisposable {
  readonly #settings: CaptureSettings;
  readonly #options: SessionOptions;
  readonly #control: Client;
  readonly #replication: ReplicationConnection;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#control = controlClient(options.settings);
    this.#replication = replicationConnection(options.settings);
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
    const topics = await OwnTopics.open(this.#settings, tables.source);
    const flow = new Flow({
      ...this.#options,
      replication: this.#replication,
      control: this.#control,
      tables,
      topics,
      from,
    });
    this.#options.onStreaming();
    await flow.run(signal);
  }
}

function isStreaming(position: CapturePosition | undefined): position is Streaming {
  return position?.completeLsn !== undefined;
}
