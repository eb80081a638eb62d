import { header } from "../../engine/envelope.ts";
import {
  type EventCodec,
  type EventReader,
  frameBytes,
  framedSchemaId,
} from "../../engine/ports/codec.ts";
import type { FetchedPartition } from "../../engine/ports/record-log.ts";
import { RecordCursor } from "../../engine/record-batch/index.ts";
import type { SeatAvailableChanged } from "../../schemas/index.ts";
import { type Notice, seatsOfModule } from "./update.ts";

/** Reads notices out of fetched bytes. */
export class NoticeReader {
  readonly #events: EventReader;

  constructor(codec: Pick<EventCodec, "events">) {
    this.#events = codec.events([seatsOfModule.type]);
  }

  /** Notices from an offset on; records that are none (no envelope, another type) are passed. */
  async *read(fetched: FetchedPartition, fromOffset: bigint): AsyncGenerator<Notice> {
    const cursor = new RecordCursor();
    cursor.reset(fetched.bytes, fromOffset);
    while (cursor.next()) {
      const notice = await this.#notice(cursor, fetched.partition);
      if (notice !== undefined) yield notice;
    }
  }

  /** The first notice's sequence at or after an offset; undefined when there is none. */
  async firstSequence(fetched: FetchedPartition, fromOffset: bigint): Promise<number | undefined> {
    for await (const notice of this.read(fetched, fromOffset)) return notice.sequence;
    return undefined;
  }

  async #notice(cursor: RecordCursor, partition: number): Promise<Notice | undefined> {
    const sequence = cursor.headerNumber(header.sequence);
    const incarnation = cursor.headerText(header.incarnation);
    if (!(sequence > 0) || incarnation === undefined || cursor.valueStart < 0) return undefined;
    const { bytes, valueStart, valueEnd } = cursor;
    const schemaId = framedSchemaId(bytes, valueStart, valueEnd);
    if (schemaId === undefined) return undefined;
    const decoder = this.#events.known(schemaId) ?? (await this.#events.learn(schemaId));
    if (decoder.type !== seatsOfModule.type.name) return undefined;
    const event = decoder.decode(bytes, valueStart + frameBytes, valueEnd);
    return { partition, sequence, incarnation, event: event as SeatAvailableChanged };
  }
}
