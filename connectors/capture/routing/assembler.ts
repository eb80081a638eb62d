import { InvariantViolation } from "../../../engine/errors.ts";
import type {
  Begin,
  EmittedMessage,
  KeepaliveReply,
  OldRow,
  Relation,
  StreamHandler,
  UpdatedRow,
} from "../pgoutput/messages.ts";
import type { Tuple } from "../pgoutput/tuple.ts";
import { noTransaction, type Change, type Emit } from "./change.ts";
import type { Route, TransactionContext } from "./change.ts";
import type { MessageTopic } from "./message-topic.ts";
import type { TransactionTopic } from "./transaction-topic.ts";

/** Where the assembler stands in the stream of transactions. */
export interface StreamPlace {
  /**
   * Where the last whole transaction's commit ends, or the last message outside of
   * transactions; 0 for none.
   */
  readonly commitLsn: number;
  /** Changes of the transaction after it that have been emitted. */
  readonly changesAfter: number;
  /** Where the stream has to begin again so that nothing comes twice; 0 for none. */
  readonly resumeLsn: number;
}

/** Who tells messages, or is told of them. */
export type Tells = Pick<MessageTopic, "tell">;

export interface AssemblerOptions {
  readonly emit: Emit;
  /** Finds the route of a table that the stream describes; undefined: it isn't captured. */
  readonly routeOf: (relation: Relation) => Promise<Route | undefined>;
  /** Told of each transaction's begin and end; undefined: nobody is. */
  readonly transactions: TransactionTopic | undefined;
  /** Finds who tells messages with this prefix; undefined: nobody does. */
  readonly messagesOf: (prefix: string) => Promise<Tells | undefined> | undefined;
  /** Milliseconds since 1970 (UTC). */
  readonly nowMs: () => number;
  readonly onCommit: () => void;
  readonly onKeepalive: (walEnd: number, reply: KeepaliveReply) => void;
  readonly from: Omit<StreamPlace, "resumeLsn">;
}

/**
 * Puts changes back into transactions: numbers them, leaves out those of a transaction whose
 * beginning was published before a restart, and hands each to its table's route.
 */
export class TransactionAssembler implements StreamHandler {
  readonly #options: AssemblerOptions;
  readonly #routes = new Map<number, { route: Route | undefined }>();
  readonly #emit: Emit;
  /** The same for rows' records: BEGIN goes before the first that its transaction numbers. */
  readonly #emitRow: Emit;
  #commitLsn: number;
  #resumeLsn = 0;
  #transaction: TransactionContext | undefined;
  /** Where its BEGIN stands; undefined: it is told, or never will be. */
  #beginLsn: number | undefined;
  #changes = 0;
  #skip: number;
  #published = 0;

  constructor(options: AssemblerOptions) {
    this.#options = options;
    this.#commitLsn = options.from.commitLsn;
    this.#skip = options.from.changesAfter;
    // A change that was published before the restart is still routed: its order counts.
    this.#emit = (topic, partition, record) => {
      if (this.#changes > this.#skip) options.emit(topic, partition, record);
    };
    const waits = options.transactions?.begins === "at the first change";
    this.#emitRow = waits ? this.#emitBegun : this.#emit;
  }

  get place(): StreamPlace {
    const changesAfter = this.#transaction ? Math.max(this.#changes, this.#skip) : this.#skip;
    return { commitLsn: this.#commitLsn, changesAfter, resumeLsn: this.#resumeLsn };
  }

  get inTransaction(): boolean {
    return this.#transaction !== undefined;
  }

  /** Changes seen since the stream began. */
  get changesSeen(): number {
    return this.#published;
  }

  begin(message: Begin): void {
    this.#changes = 0;
    this.#transaction = {
      transactionId: message.transactionId,
      commitTimeUs: message.commitTimeUs,
      previousCommitLsn: this.#commitLsn,
      origin: undefined,
      totalOrder: 0,
      tableOrder: new Map(),
    };
    if (this.#options.transactions?.begins === "at the first change") {
      this.#beginLsn = message.lsn;
      return;
    }
    this.#step((transactions) => transactions.begin(this.#current(), message.lsn, this.#emit));
  }

  origin(name: string, lsn: number): void {
    this.#transaction = { ...this.#current(), origin: { name, lsn } };
  }

  /**
   * The server describes a table again when something of it changed: perhaps what the description
   * has no word for, such as NOT NULL and defaults. So each one is followed.
   */
  relation(relation: Relation): Promise<void> | undefined {
    return this.#options.routeOf(relation).then((route) => {
      this.#routes.set(relation.oid, { route });
    });
  }

  insert(relationOid: number, lsn: number, row: Tuple): Promise<void> | undefined {
    return this.#change(relationOid, lsn, { kind: "insert", row });
  }

  update(relationOid: number, lsn: number, { old, row }: UpdatedRow): Promise<void> | undefined {
    return this.#change(relationOid, lsn, { kind: "update", old, row });
  }

  remove(relationOid: number, lsn: number, old: OldRow): Promise<void> | undefined {
    return this.#change(relationOid, lsn, { kind: "remove", old });
  }

  truncate(relationOids: readonly number[], lsn: number): void {
    // No route has to wait for anything to tell this.
    for (const oid of relationOids) void this.#change(oid, lsn, { kind: "truncate" });
  }

  message(message: EmittedMessage): Promise<void> | undefined {
    if (message.transactional) this.#changes += 1;
    const found = this.#options.messagesOf(message.prefix);
    return found?.then((topic) => this.#message(topic, message));
  }

  commit(endLsn: number): void {
    if (this.#beginLsn === undefined) {
      this.#step((transactions) => transactions.end(this.#current(), endLsn, this.#emit));
    }
    this.#beginLsn = undefined;
    this.#commitLsn = endLsn;
    this.#resumeLsn = endLsn;
    this.#transaction = undefined;
    this.#skip = 0;
    this.#changes = 0;
    this.#options.onCommit();
  }

  keepalive(walEnd: number, reply: KeepaliveReply): void {
    this.#options.onKeepalive(walEnd, reply);
  }

  #change(relationOid: number, lsn: number, change: Change): Promise<void> | undefined {
    const known = this.#routes.get(relationOid);
    if (!known) throw new InvariantViolation(`A row came before its table (${relationOid}).`);
    this.#changes += 1;
    this.#published += 1;
    return known.route?.route({ change, lsn, transaction: this.#current() }, this.#emitRow);
  }

  /** BEGIN belongs to the change that it is told for: both are published, or neither. */
  readonly #emitBegun: Emit = (topic, partition, record) => {
    const transaction = this.#current();
    if (this.#beginLsn !== undefined && transaction.totalOrder > 0) {
      this.#options.transactions?.begin(transaction, this.#beginLsn, this.#emit);
      this.#beginLsn = undefined;
    }
    this.#emit(topic, partition, record);
  };

  #message(topic: Tells | undefined, message: EmittedMessage): void {
    if (message.transactional) {
      topic?.tell(message, this.#current(), this.#emit);
      return;
    }
    topic?.tell(message, this.#outside(message.lsn), this.#options.emit);
    this.#commitLsn = message.lsn;
    // A message's LSN is where it ends: the next one may begin just there.
    this.#resumeLsn = message.lsn;
    this.#options.onCommit();
  }

  /** A message outside of transactions stands for one of its own, which nobody numbers. */
  #outside(lsn: number): TransactionContext {
    return {
      transactionId: noTransaction,
      commitTimeUs: this.#options.nowMs() * 1000,
      previousCommitLsn: lsn,
      origin: undefined,
      totalOrder: 0,
      tableOrder: new Map(),
    };
  }

  /** A record of a transaction's own counts as a change of it where one is written. */
  #step(tell: (transactions: TransactionTopic) => void): void {
    const { transactions } = this.#options;
    if (!transactions) return;
    this.#changes += 1;
    tell(transactions);
  }

  #current(): TransactionContext {
    if (!this.#transaction) throw new InvariantViolation("A change came outside a transaction.");
    return this.#transaction;
  }
}
