import { nameBasedId } from "../decision/event-ids.ts";
import { partitionOf } from "../partitioner.ts";
import type { AnyRow } from "../columns.ts";
import { PartitionDigests } from "../digest.ts";
import { RecordError } from "../errors.ts";
import { encodePositionToken } from "../position-token.ts";
import { sequence } from "../position.ts";
import type { EventCodec } from "../ports/codec.ts";
import type { NewEvent } from "../ports/event-store.ts";
import type {
  Generation,
  OwnedPartition,
  ReadModel,
  ReadModelStore,
} from "../ports/read-model-store.ts";
import type { AnyProjection, ErasedNotify, NoticeContext } from "../projection.ts";
import type { FlushBatch, RowTouch, TaskStore } from "./batch.ts";
import { storedColumns, topicsOf } from "./pipeline.ts";
import type { SourceOrigin } from "./source-origin.ts";
import { UnfitBatchError } from "./suspects.ts";
import { childTraceparent, spanIdOf } from "../tracing/trace-context.ts";

export interface ProjectionStoreOptions {
  readonly projection: AnyProjection;
  readonly generation: Generation;
  readonly store: ReadModelStore;
  readonly codec: EventCodec;
}

/** What a store must know of a projection. */
export function readModelOf(projection: AnyProjection): ReadModel {
  return {
    projection: projection.name,
    version: projection.version,
    columns: storedColumns(projection),
    indexes: projection.indexes ?? [],
    topics: topicsOf(projection).map(({ name, partitions }) => ({ name, partitions })),
  };
}

/** Flushes of a projection: rows, digests and notices in one transaction with the positions. */
export class ProjectionStore implements TaskStore {
  readonly #options: ProjectionStoreOptions;
  readonly #digests: PartitionDigests;

  constructor(options: ProjectionStoreOptions) {
    this.#options = options;
    this.#digests = new PartitionDigests(storedColumns(options.projection));
  }

  claim(
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly OwnedPartition[]> {
    return this.#options.store.claim(this.#options.generation, partitions);
  }

  load(keys: readonly string[]): Promise<ReadonlyMap<string, AnyRow>> {
    return this.#options.store.load(this.#options.generation, keys);
  }

  check(row: RowTouch): void {
    if (this.#notify) this.#notice(this.#notify, row, { key: row.key, sourcePosition: "" });
  }

  async flush(batch: FlushBatch): Promise<void> {
    const { generation, store } = this.#options;
    const { advances, deadLetters, settlements, corrections = [] } = batch;
    const changed = batch.rows.filter((row) => this.#digests.change(row));
    const digests = [...this.#digests.take(), ...corrections];
    const rows = batch.rows.map(({ key, partition, before, after }) => {
      return { key, partition, row: after, isUpdate: before !== undefined };
    });
    const notices = this.#notify ? this.#notices(this.#notify, batch, changed) : [];
    await store.flush({ generation, advances, rows, digests, notices, deadLetters, settlements });
  }

  get #notify(): ErasedNotify | undefined {
    const { projection } = this.#options;
    return projection.kind === "events" ? projection.notify : undefined;
  }

  #notices(notify: ErasedNotify, batch: FlushBatch, rows: readonly RowTouch[]): NewEvent[] {
    const tokens = new Map<number, string>();
    const notices: NewEvent[] = [];
    for (const row of rows) {
      let token = tokens.get(row.partition);
      if (token === undefined) {
        token = reached(batch, row.partition);
        tokens.set(row.partition, token);
      }
      const at = { key: row.key, sourcePosition: token };
      const notice = fitting(row.key, () => this.#notice(notify, row, at));
      if (notice) notices.push(notice);
    }
    return notices;
  }

  #notice(notify: ErasedNotify, row: RowTouch, at: NoticeContext): NewEvent | undefined {
    const { projection, generation } = this.#options;
    const event = this.#noticeEvent(notify, row, at);
    if (event === undefined) return undefined;
    const { to, type } = notify;
    const key = String((event as Record<string, unknown>)[to.key]);
    const value = this.#encoded(notify, event, row.key);
    // The position makes it unique, and the same flush sent again gives the same.
    const id = `${projection.name}:g${generation.generation}:${row.key}:${at.sourcePosition}`;
    return {
      id,
      type: type.fullName,
      topic: to.name,
      partition: partitionOf(key, to.partitions),
      key,
      value,
      tags: [],
      ...causeOf(id, row.cause),
    };
  }

  #noticeEvent(notify: ErasedNotify, row: RowTouch, at: NoticeContext): unknown {
    try {
      return notify.event(row.after as never, row.before as never, at);
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause);
      const message = `${this.#options.projection.name}: the notice of row ${row.key} threw: ${text}`;
      throw new RecordError("notice-invalid", message, { cause });
    }
  }

  #encoded({ to, type }: ErasedNotify, event: unknown, rowKey: string): Uint8Array {
    const { projection, codec } = this.#options;
    try {
      return codec.encode(to, type, event);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      const message = `${projection.name}: the notice of row ${rowKey} is no ${type.name}`;
      throw new RecordError("notice-invalid", `${message}: ${error.message}`, { cause: error });
    }
  }
}

/** The notice goes on in the transaction of what changed the row; else it stands for itself. */
function causeOf(
  id: string,
  cause: SourceOrigin | undefined,
): Pick<NewEvent, "correlationId" | "causationId" | "traceparent"> {
  const spanId = spanIdOf(nameBasedId(`span/${id}`));
  if (cause === undefined) {
    return { correlationId: id, traceparent: childTraceparent({ correlationId: id }, spanId) };
  }
  const { id: causationId, correlationId } = cause;
  return { correlationId, causationId, traceparent: childTraceparent(cause, spanId) };
}

/** @throws UnfitBatchError naming the row, where its notice can't be made. */
function fitting<Result>(key: string, make: () => Result): Result {
  try {
    return make();
  } catch (error) {
    throw error instanceof RecordError ? new UnfitBatchError({ rows: [key] }, error) : error;
  }
}

/** Token of the lanes' positions that a batch reaches in one partition. */
function reached(batch: FlushBatch, of: number): string {
  let incarnation = "";
  const lanes = [];
  for (const { topic, partition, to } of batch.advances) {
    if (partition !== of || to.source.kind !== "lane") continue;
    incarnation = to.source.incarnation;
    lanes.push({ topic, partition, sequence: sequence(to.source.nextSequence - 1n) });
  }
  return encodePositionToken({ incarnation, lanes });
}
