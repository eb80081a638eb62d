import { Client } from "pg";

import { TransientError } from "../../engine/errors.ts";
import { formatLsn, parseLsn, writeLsn } from "./lsn.ts";
import { ChunkWriter, type MessageChunk } from "./message-chunk.ts";

export interface ReplicationConnectionOptions {
  readonly url: string;
  /** Shown in pg_stat_activity and pg_stat_replication. */
  readonly applicationName: string;
  /** What is received ahead of the reader, in bytes, before the socket is paused. */
  readonly receivedBytesMax: number;
  readonly connectTimeoutMs: number;
}

export interface CreatedSlot {
  /** From here on the slot gives every transaction that the snapshot doesn't see. */
  readonly consistentLsn: number;
  /** For SET TRANSACTION SNAPSHOT, as long as this connection does nothing else. */
  readonly snapshotName: string;
}

export interface StreamOptions {
  readonly slot: string;
  readonly publication: string;
  readonly fromLsn: number;
}

/** The parts of pg's connection that its types leave out. */
interface CopyConnection {
  readonly stream: { pause(): void; resume(): void };
  on(event: "copyData", listener: (message: { chunk: Uint8Array }) => void): void;
  once(event: "replicationStart", listener: () => void): void;
  sendCopyFromChunk(chunk: Buffer): void;
}

/**
 * Values must look the same whatever the server's settings are, or the converters read them wrong.
 */
const pinned = [
  "DateStyle=ISO",
  "IntervalStyle=postgres",
  "extra_float_digits=3",
  "bytea_output=hex",
  "TimeZone=UTC",
  "lc_monetary=C",
  "client_encoding=UTF8",
  "statement_timeout=0",
  "idle_in_transaction_session_timeout=0",
];

/** Session settings of every connection whose values are converted. */
export const pinnedSettings = pinned.map((setting) => `-c ${setting}`).join(" ");

const postgresEpochMs = 946_684_800_000;
const statusBytes = 34;

/**
 * A connection in replication mode and the copy-both stream on it
 * (https://www.postgresql.org/docs/18/protocol-replication.html). Pull messages with `next`.
 *
 * Failures: `TransientError` when the connection breaks; errors of the server as pg gives them.
 */
export class ReplicationConnection implements AsyncDisposable {
  readonly #client: Client;
  readonly #copy: CopyConnection;
  readonly #chunks: ChunkWriter;
  readonly #receivedBytesMax: number;
  #paused = false;
  #wake: (() => void) | undefined;
  #failure: Error | undefined;
  #closing = false;

  constructor(options: ReplicationConnectionOptions) {
    const config = {
      connectionString: options.url,
      application_name: options.applicationName,
      connectionTimeoutMillis: options.connectTimeoutMs,
      keepAlive: true,
      replication: "database",
      options: pinnedSettings,
    };
    this.#client = new Client(config);
    this.#copy = this.#client.connection as unknown as CopyConnection;
    this.#receivedBytesMax = options.receivedBytesMax;
    this.#chunks = new ChunkWriter(Math.min(options.receivedBytesMax, 1_048_576));
    this.#client.on("error", (error) => this.#fail(error));
    this.#client.on("end", () => this.#fail(new Error("the server closed the connection")));
  }

  async open(): Promise<void> {
    await this.#client.connect();
  }

  async identify(): Promise<{ systemId: string; endLsn: number }> {
    const { rows } = await this.#client.query<{ systemid: string; xlogpos: string }>(
      "IDENTIFY_SYSTEM",
    );
    const row = rows[0];
    if (!row) throw new TransientError("identify-empty", "IDENTIFY_SYSTEM gave no row.");
    return { systemId: row.systemid, endLsn: parseLsn(row.xlogpos) };
  }

  async createSlot(slot: string): Promise<CreatedSlot> {
    const { rows } = await this.#client.query<{ consistent_point: string; snapshot_name: string }>(
      `CREATE_REPLICATION_SLOT ${quoteName(slot)} LOGICAL pgoutput (SNAPSHOT 'export')`,
    );
    const row = rows[0];
    if (!row) throw new TransientError("slot-not-made", `The server did not make slot ${slot}.`);
    return { consistentLsn: parseLsn(row.consistent_point), snapshotName: row.snapshot_name };
  }

  async dropSlot(slot: string): Promise<void> {
    await this.#client.query(`DROP_REPLICATION_SLOT ${quoteName(slot)} WAIT`);
  }

  /** Begins the stream; afterwards only `next` and `confirm` may be called. */
  async stream(options: StreamOptions): Promise<void> {
    this.#copy.on("copyData", (message) => this.#receive(message.chunk));
    const started = new Promise<void>((resolve) => {
      this.#copy.once("replicationStart", resolve);
    });
    const publication = `"${options.publication.replaceAll('"', '""')}"`.replaceAll("'", "''");
    const command =
      `START_REPLICATION SLOT ${quoteName(options.slot)} LOGICAL ${formatLsn(options.fromLsn)} ` +
      `(proto_version '1', publication_names '${publication}', messages 'on')`;
    // Resolves only when the stream ends.
    const ended = this.#client.query(command);
    ended.then(
      () => this.#fail(new Error("the server ended the stream")),
      (error: unknown) => this.#fail(error as Error),
    );
    await Promise.race([started, ended]);
  }

  /** What has arrived since the last call; undefined when nothing came before the abort. */
  async next(signal: AbortSignal): Promise<MessageChunk | undefined> {
    while (this.#chunks.size === 0) {
      if (signal.aborted) return undefined;
      if (this.#failure) throw broken(this.#failure);
      await this.#arrival(signal);
    }
    const chunk = this.#chunks.take();
    if (this.#paused) {
      this.#paused = false;
      this.#copy.stream.resume();
    }
    return chunk;
  }

  /** Tells the server what is durable here: it may forget the WAL before `lsn`. */
  confirm(lsn: number): void {
    if (this.#failure) return;
    const status = Buffer.alloc(statusBytes);
    status.write("r", 0, "latin1");
    writeLsn(status, lsn, 1);
    writeLsn(status, lsn, 9);
    writeLsn(status, lsn, 17);
    // The server ignores the client's clock except for its statistics.
    status.writeBigInt64BE(BigInt(-postgresEpochMs) * 1000n, 25);
    this.#copy.sendCopyFromChunk(status);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#copy.stream.resume();
    await this.#client.end().catch(() => undefined);
  }

  #receive(message: Uint8Array): void {
    if (this.#closing) return;
    this.#chunks.add(message);
    if (this.#chunks.size >= this.#receivedBytesMax && !this.#paused) {
      this.#paused = true;
      this.#copy.stream.pause();
    }
    this.#notify();
  }

  #arrival(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  #notify(): void {
    const wake = this.#wake;
    if (!wake) return;
    this.#wake = undefined;
    // Lets the parser finish the packet, so that one chunk has all its messages.
    queueMicrotask(wake);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#notify();
  }
}

function broken(cause: Error): Error {
  return new TransientError(
    "replication-broken",
    `The replication connection broke: ${cause.message}.`,
    { cause },
  );
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
