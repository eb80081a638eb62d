import type { Client } from "pg";

import type { FatalError } from "../../engine/errors.ts";
import { lsn, type Lsn } from "../../engine/position.ts";
import type { CapturePosition } from "../../engine/ports/capture-sink.ts";
import { Flow, type Streaming } from "./flow.ts";
import type { CaptureSettings } from "./options.ts";
import type { Progress } from "./progress.ts";
import type { ReplicationConnection } from "./replication-connection.ts";
import { NewTopics } from "./routing/new-topics.ts";
import { OwnTopics } from "./routing/own-topics.ts";
import { withAdded } from "./incremental/progress.ts";
import { admit } from "./server/added-tables.ts";
import { controlClient, replicationConnection } from "./server/connections.ts";
import { checkWalLevel, ensurePublication, publicationPlan } from "./server/publication.ts";
import { readServer, resumeFault } from "./server/resume-check.ts";
import { readSlot, untilSlotFree } from "./server/slot.ts";
import { snapshotParts } from "./server/snapshot.ts";
import { CapturedTables } from "./tables/captured-tables.ts";
import { findTables } from "./tables/found-tables.ts";

export interface SessionOptions {
  readonly settings: CaptureSettings;
  readonly progress: Progress;
  /** Called when changes begin to flow: the slot exists, and what came before it is published. */
  readonly onStreaming: () => void;
}

/** One connection's life: checks, snapshot where there was none, and the stream until it ends. */
export class CaptureSession implements AsyncDisposable {
  /** With the tables that were found. */
  #settings: CaptureSettings;
  readonly #options: SessionOptions;
  readonly #control: Client;
  readonly #replication: ReplicationConnection;
  readonly #newTopics: NewTopics;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#settings = options.settings;
    const { sink, selection } = options.settings;
    this.#newTopics = new NewTopics({ sink, partitions: selection?.partitions });
    this.#control = controlClient(options.settings);
    this.#replication = replicationConnection(options.settings);
  }

  /**
   * Runs until the signal aborts; what is in flight then is published and confirmed.
   *
   * @returns `ended` where the snapshot was all that was wanted.
   */
  async run(signal: AbortSignal): Promise<"ended" | "stopped"> {
    await this.#control.connect();
    await checkWalLevel(this.#control);
    await this.#find();
    const tables = new CapturedTables(this.#settings, this.#control, await this.#database());
    await tables.check();
    const published = await this.#publication(await this.#settings.sink.open(), tables);
    await this.#replication.open();
    const position = await this.#position(published, { tables, signal });
    if (this.#settings.snapshot.mode === "initial_only") {
      this.#options.onStreaming();
      return "ended";
    }
    if (!signal.aborted) await this.#stream(tables, position, signal);
    return "stopped";
  }

  /** Goes on from what is published, or begins with a snapshot, as the mode has it. */
  async #position(published: CapturePosition | undefined, by: Beginning): Promise<Streaming> {
    const { mode } = this.#settings.snapshot;
    const nothing = lsn(0);
    if (!isStreaming(published) || mode === "always") return this.#begin(by, () => nothing);
    const fault = await this.#resumeFault(published);
    if (!fault) return this.#resume(published, by.signal);
    if (mode !== "when_needed") throw fault;
    // Readers that have seen changes take only later ones: the stream is numbered from the slot on.
    return this.#begin(by, (slotLsn) => slotLsn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#replication[Symbol.asyncDispose]();
    await this.#control.end().catch(() => undefined);
  }

  /**
   * Brings the publication to the captured tables. Those that come to a capture that goes on have no
   * snapshot: that their rows are to be told stands with the position before they count as known, so
   * that a crash between the two leaves none out.
   */
  async #publication(
    position: CapturePosition | undefined,
    tables: CapturedTables,
  ): Promise<CapturePosition | undefined> {
    const settings = this.#settings;
    const { sink, snapshot, outboxTables } = settings;
    const names = [...outboxTables, ...settings.tables.map((table) => table.name)];
    const publish = (): Promise<void> =>
      ensurePublication(this.#control, publicationPlan(settings));
    const isLater = isStreaming(position) && snapshot.mode !== "no_data";
    const known = isLater && snapshot.added === "told" ? await sink.tables() : names;
    const added = names.filter((name) => known && !known.includes(name));
    const filled =
      added.length > 0
        ? await admit(this.#control, { names: added, settings, tables }, publish)
        : await publish().then(() => []);
    const now = position && withAdded(position, filled);
    if (now && filled.length > 0) await sink.publish([], now);
    await sink.setTables(names);
    return now;
  }

  /** Tables that are selected, and the one whose rows are signals. */
  async #find(): Promise<void> {
    const { settings } = this.#options;
    const { selection, signals } = settings;
    const found = selection ? await findTables(this.#control, selection) : [];
    const ofSignals = { name: signals?.table ?? "", partitions: selection?.partitions ?? 1 };
    const all = [...settings.tables, ...found, ...(signals ? [ofSignals] : [])];
    const tables = [...new Map(all.map((table) => [table.name, table])).values()];
    this.#settings = { ...settings, tables };
  }

  async #database(): Promise<string> {
    const { rows } = await this.#control.query<{ name: string }>(
      "select current_database()::text as name",
    );
    return rows[0]?.name ?? "";
  }

  /** A snapshot and a new slot: one from before is of no use. */
  async #begin({ tables, signal }: Beginning, after: (slot: Lsn) => Lsn): Promise<Streaming> {
    const { sink, slot: name } = this.#settings;
    if (await readSlot(this.#control, name)) {
      await this.#slotFree(signal);
      await this.#replication.dropSlot(name);
    }
    const slot = await this.#replication.createSlot(name);
    await sink.setSource((await readServer(this.#control)).identity);
    const slotLsn = lsn(slot.consistentLsn);
    const complete = { changesAfter: 0, commitLsn: after(slotLsn), completeLsn: slotLsn };
    const snapshot = { client: this.#control, settings: this.#settings, tables, slot };
    const parts = this.#newTopics.before(snapshotParts(snapshot));
    if (sink.publishSnapshot) await sink.publishSnapshot(parts, complete);
    else {
      for await (const part of parts) {
        await sink.publish(part, { commitLsn: lsn(0), changesAfter: 0 });
      }
      await sink.publish([], complete);
    }
    return complete;
  }

  async #resumeFault({ completeLsn }: Streaming): Promise<FatalError | undefined> {
    const { sink, slot } = this.#settings;
    const source = await sink.source();
    return resumeFault(this.#control, { slot, completeLsn: Number(completeLsn), source });
  }

  async #resume(position: Streaming, signal: AbortSignal): Promise<Streaming> {
    await this.#settings.sink.setSource((await readServer(this.#control)).identity);
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
      settings: this.#settings,
      progress: this.#options.progress,
      replication: this.#replication,
      control: this.#control,
      tables,
      topics,
      newTopics: this.#newTopics,
      from,
    });
    this.#options.onStreaming();
    await flow.run(signal);
  }
}

interface Beginning {
  readonly tables: CapturedTables;
  readonly signal: AbortSignal;
}

function isStreaming(position: CapturePosition | undefined): position is Streaming {
  return position?.completeLsn !== undefined;
}
