import type { Offset } from "../../engine/position.ts";
import type { RecordLog, RecordToAppend } from "../../engine/ports/record-log.ts";
import { RecordCursor } from "../../engine/record-batch/index.ts";
import type { Payload, PayloadDecoder } from "./payload.ts";
import { textOf } from "./printable.ts";

/** A record with what became of its key and value. */
export interface ReadRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly record: RecordToAppend;
  /** Text, or what a framed key decodes to; null where there is none. */
  readonly key: unknown;
  readonly value: Payload;
}

export interface ReadRequest {
  readonly topic: string;
  readonly from: ReadonlyMap<number, Offset>;
  readonly until: "end" | "forever";
  /** Only records of this key. */
  readonly key: string | undefined;
  readonly signal: AbortSignal;
}

/** Records decoded, one after the other: for people and pipes, not for speed. */
export async function* readDecoded(
  log: RecordLog,
  decoder: PayloadDecoder,
  request: ReadRequest,
): AsyncGenerator<ReadRecord, void> {
  const { topic, key: wanted } = request;
  const next = new Map(request.from);
  // These bytes are shown as evidence: whether they are sound is part of it.
  const cursor = new RecordCursor({ verify: "checksum" });
  for await (const fetch of log.read(request)) {
    for (const { partition, bytes, nextOffset } of fetch.partitions) {
      cursor.reset(bytes, next.get(partition) ?? 0n);
      while (cursor.next()) {
        const { offset } = cursor;
        const record = cursor.record();
        const key = await keyOf(decoder, record);
        if (wanted !== undefined && !isKey(key, wanted)) continue;
        const value = await decoder.decode(asBuffer(record.value));
        yield { topic, partition, offset, record, key, value };
      }
      next.set(partition, nextOffset);
    }
  }
}

/** Keys of events are text; those of row changes are framed, and begin with a zero byte. */
async function keyOf(decoder: PayloadDecoder, { key }: RecordToAppend): Promise<unknown> {
  if (key === null) return null;
  if (key[0] !== 0) return textOf(key);
  const payload = await decoder.decode(asBuffer(key));
  return payload.kind === "decoded" ? payload.value : textOf(key);
}

/** A key of one column is known by its value too: `--key BBB-2013J` finds {code: "BBB-2013J"}. */
function isKey(key: unknown, wanted: string): boolean {
  if (typeof key !== "object" || key === null) return key === wanted;
  const values: unknown[] = Object.values(key);
  return values.length === 1 && String(values[0]) === wanted;
}

function asBuffer(bytes: Uint8Array | null): Buffer | null {
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
