import { FatalError } from "../../../engine/errors.ts";
import { readLsn } from "../lsn.ts";
import type { MessageChunk } from "../message-chunk.ts";
import { Tuple } from "./tuple.ts";

export interface RelationColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly typeModifier: number;
  /** Part of the replica identity. */
  readonly identity: boolean;
}

/** A table as the stream describes it before its first row and after every change of it. */
export interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  /** d: the primary key; f: all columns; i: an index; n: nothing. */
  readonly replicaIdentity: string;
  readonly columns: readonly RelationColumn[];
}

export interface Begin {
  /** Where the message stands in the WAL: the transaction's first change. */
  readonly lsn: number;
  /** Microseconds since 1970 (UTC). */
  readonly commitTimeUs: number;
  /** Unsigned, 32 bits. */
  readonly transactionId: number;
}

/**
 * What a stream tells, in order. The tuples are read again for the next row: take what you need
 * before you return. A promise is waited for before the next message.
 */
export interface StreamHandler {
  begin(message: Begin): void;
  origin(name: string, lsn: number): void;
  relation(relation: Relation): Promise<void> | undefined;
  insert(relationOid: number, lsn: number, row: Tuple): Promise<void> | undefined;
  /** `old` is undefined where neither the key changed nor the whole old row is sent. */
  update(relationOid: number, lsn: number, rows: UpdatedRow): Promise<void> | undefined;
  remove(relationOid: number, lsn: number, old: OldRow): Promise<void> | undefined;
  truncate(relationOids: readonly number[], lsn: number): void;
  /** `pg_logical_emit_message`; one that isn't transactional comes between transactions. */
  message(message: EmittedMessage): Promise<void> | undefined;
  /** `endLsn` is where the commit record ends: the transaction's place in the order of commits. */
  commit(endLsn: number): void;
  /** The server has nothing to send before `walEnd`. */
  keepalive(walEnd: number, reply: KeepaliveReply): void;
}

export interface EmittedMessage {
  readonly lsn: number;
  readonly transactional: boolean;
  readonly prefix: string;
  readonly content: Buffer;
}

/** Whether the server wants to hear at once how far we are. */
export type KeepaliveReply = "asked" | "not asked";

export interface OldRow {
  readonly row: Tuple;
  /** Whole: every column (replica identity full). Otherwise only the key's columns are there. */
  readonly whole: boolean;
}

export interface UpdatedRow {
  readonly old: OldRow | undefined;
  readonly row: Tuple;
}

const code = (letter: string): number => letter.charCodeAt(0);
const xLogData = code("w");
const keepalive = code("k");
const message = {
  begin: code("B"),
  commit: code("C"),
  origin: code("O"),
  relation: code("R"),
  type: code("Y"),
  insert: code("I"),
  update: code("U"),
  remove: code("D"),
  truncate: code("T"),
  logical: code("M"),
} as const;
const wholeOldRow = code("O");
const keyOfOldRow = code("K");

/** Microseconds from 1970 to 2000, where Postgres begins to count. */
const epochUs = 946_684_800_000_000;
const xLogHeaderBytes = 25;

/**
 * Reads the messages of chunks (pgoutput, protocol version 1:
 * https://www.postgresql.org/docs/18/protocol-logicalrep-message-formats.html) and tells a handler.
 */
export class PgoutputReader {
  readonly #handler: StreamHandler;
  readonly #row = new Tuple();
  readonly #old = new Tuple();
  #at = 0;

  constructor(handler: StreamHandler) {
    this.#handler = handler;
  }

  /** Reads the whole chunk, waiting where the handler asks for it. */
  async read(chunk: MessageChunk): Promise<void> {
    this.#at = 0;
    while (this.#at < chunk.end) {
      const wait = this.#readOn(chunk);
      if (wait) await wait;
    }
  }

  #readOn({ bytes, end }: MessageChunk): Promise<void> | undefined {
    while (this.#at < end) {
      const from = this.#at + 4;
      const to = from + bytes.readUInt32BE(this.#at);
      this.#at = to;
      const wait = this.#frame(bytes, from);
      if (wait) return wait;
    }
    return undefined;
  }

  #frame(bytes: Buffer, from: number): Promise<void> | undefined {
    const kind = bytes[from];
    if (kind === xLogData) {
      return this.#message(bytes, from + xLogHeaderBytes, readLsn(bytes, from + 1));
    }
    if (kind === keepalive) {
      const reply = bytes[from + 17] === 1 ? "asked" : "not asked";
      this.#handler.keepalive(readLsn(bytes, from + 1), reply);
      return undefined;
    }
    throw unknownMessage("the replication stream", kind);
  }

  #message(bytes: Buffer, at: number, lsn: number): Promise<void> | undefined {
    const handler = this.#handler;
    switch (bytes[at]) {
      case message.insert:
        this.#row.read(bytes, at + 6);
        return handler.insert(bytes.readUInt32BE(at + 1), lsn, this.#row);
      case message.update:
        return this.#update(bytes, at, lsn);
      case message.remove:
        this.#old.read(bytes, at + 6);
        return handler.remove(bytes.readUInt32BE(at + 1), lsn, this.#oldRow(bytes[at + 5]));
      case message.begin:
        handler.begin({
          lsn,
          commitTimeUs: Number(bytes.readBigInt64BE(at + 9)) + epochUs,
          transactionId: bytes.readUInt32BE(at + 17),
        });
        return undefined;
      case message.commit:
        handler.commit(readLsn(bytes, at + 10));
        return undefined;
      case message.relation:
        return handler.relation(readRelation(bytes, at + 1));
      case message.origin:
        handler.origin(readText(bytes, at + 9).text, readLsn(bytes, at + 1));
        return undefined;
      case message.truncate:
        handler.truncate(readOids(bytes, at + 1), lsn);
        return undefined;
      case message.logical:
        return handler.message(readMessage(bytes, at + 1, lsn));
      case message.type:
        return undefined;
      default:
        throw unknownMessage("pgoutput", bytes[at]);
    }
  }

  #update(bytes: Buffer, at: number, lsn: number): Promise<void> | undefined {
    const kind = bytes[at + 5];
    const hasOld = kind === wholeOldRow || kind === keyOfOldRow;
    const rowAt = hasOld ? this.#old.read(bytes, at + 6) + 1 : at + 6;
    this.#row.read(bytes, rowAt);
    const old = hasOld ? this.#oldRow(kind) : undefined;
    return this.#handler.update(bytes.readUInt32BE(at + 1), lsn, { old, row: this.#row });
  }

  #oldRow(kind: number | undefined): OldRow {
    return { row: this.#old, whole: kind === wholeOldRow };
  }
}

function readText(bytes: Buffer, at: number): { text: string; end: number } {
  const end = bytes.indexOf(0, at);
  return { text: bytes.toString("utf8", at, end), end: end + 1 };
}

function readRelation(bytes: Buffer, at: number): Relation {
  const schema = readText(bytes, at + 4);
  const table = readText(bytes, schema.end);
  const count = bytes.readUInt16BE(table.end + 1);
  const columns: RelationColumn[] = [];
  let here = table.end + 3;
  for (let column = 0; column < count; column++) {
    const name = readText(bytes, here + 1);
    columns.push({
      name: name.text,
      typeOid: bytes.readUInt32BE(name.end),
      typeModifier: bytes.readInt32BE(name.end + 4),
      identity: ((bytes[here] as number) & 1) === 1,
    });
    here = name.end + 8;
  }
  return {
    oid: bytes.readUInt32BE(at),
    // The empty text stands for pg_catalog.
    schema: schema.text === "" ? "pg_catalog" : schema.text,
    table: table.text,
    replicaIdentity: String.fromCharCode(bytes[table.end] as number),
    columns,
  };
}

function readMessage(bytes: Buffer, at: number, lsn: number): EmittedMessage {
  // Byte 0 is the flags, eight bytes of LSN follow.
  const prefix = readText(bytes, at + 9);
  const start = prefix.end + 4;
  return {
    lsn,
    transactional: ((bytes[at] as number) & 1) === 1,
    prefix: prefix.text,
    content: bytes.subarray(start, start + bytes.readUInt32BE(prefix.end)),
  };
}

function readOids(bytes: Buffer, at: number): number[] {
  const count = bytes.readUInt32BE(at);
  return Array.from({ length: count }, (_, index) => bytes.readUInt32BE(at + 5 + index * 4));
}

function unknownMessage(where: string, kind: number | undefined): FatalError {
  return new FatalError(
    "message-unknown",
    `Message ${JSON.stringify(String.fromCharCode(kind ?? 0))} of ${where} is not known here.`,
    "Run a version of Refold that supports this Postgres server.",
  );
}
