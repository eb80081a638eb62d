import { FatalError } from "../../../engine/errors.ts";
import { headerOrder } from "../../../engine/envelope.ts";
import type { RecordHeader } from "../../../engine/ports/record-log.ts";
import { AvroWriter } from "../avro-writer.ts";
import { present, type Tuple } from "../pgoutput/tuple.ts";
import { readInteger } from "../types/plain.ts";
import type { Emit, PlacedChange, Route } from "./change.ts";

/** A header and the place of its column in the tuple. */
interface HeaderColumn {
  readonly name: string;
  readonly at: number;
}

/**
 * An outbox row becomes one record as it stands: topic, partition, key, value bytes, and a header
 * for each header column that isn't null. Rows are facts: only their insertion is published.
 */
export class OutboxRoute implements Route {
  readonly #values = new AvroWriter();
  readonly #topic: number;
  readonly #partition: number;
  readonly #key: number;
  readonly #recordedAt: number;
  readonly #value: number;
  readonly #headers: readonly HeaderColumn[];

  constructor(table: string, columnNames: readonly string[]) {
    const missing: string[] = [];
    const place = (name: string): number => {
      const at = columnNames.indexOf(name);
      if (at < 0) missing.push(name);
      return at;
    };
    this.#topic = place("topic");
    this.#partition = place("partition");
    this.#key = place("key");
    this.#recordedAt = place("recorded_at");
    this.#value = place("value");
    this.#headers = headerOrder.map((name) => ({ name, at: place(name.replaceAll("-", "_")) }));
    if (missing.length > 0) {
      throw new FatalError(
        "outbox-columns",
        `The outbox table ${table} has no column ${missing.join(", ")}.`,
        "Apply the migrations, or name another outbox table.",
      );
    }
  }

  route({ change }: PlacedChange, emit: Emit): undefined {
    if (change.kind !== "insert") return;
    const { row } = change;
    emit(row.text(this.#topic), this.#integer(row, this.#partition), {
      timestampMs: readTimestampMs(row, this.#recordedAt),
      key: slice(row, this.#key),
      value: this.#bytes(row),
      headers: this.#recordHeaders(row),
    });
  }

  #integer(row: Tuple, at: number): number {
    return readInteger(row.bytes, row.start[at] as number, row.end[at] as number);
  }

  #bytes(row: Tuple): Buffer | null {
    const at = this.#value;
    if (row.kind[at] !== present) return null;
    // Two characters, \x, come before the digits.
    this.#values.rawHex(row.bytes.toString("latin1", (row.start[at] as number) + 2, row.end[at]));
    return this.#values.finish();
  }

  #recordHeaders(row: Tuple): RecordHeader[] {
    const headers: RecordHeader[] = [];
    for (const { name, at } of this.#headers) {
      if (row.kind[at] === present) headers.push({ name, value: slice(row, at) });
    }
    return headers;
  }
}

function slice(row: Tuple, at: number): Buffer | null {
  if (row.kind[at] !== present) return null;
  return row.bytes.subarray(row.start[at], row.end[at]);
}

/** A timestamp(3) as ISO text: `2024-02-29 12:34:56.789`, its fraction shorter or left out. */
function readTimestampMs(row: Tuple, at: number): number {
  const { bytes } = row;
  const start = row.start[at] as number;
  const end = row.end[at] as number;
  const part = (from: number, length: number): number =>
    readInteger(bytes, start + from, Math.min(start + from + length, end));
  const decimals = Math.max(0, end - start - 20);
  const ms = decimals === 0 ? 0 : part(20, decimals) * 10 ** (3 - decimals);
  return Date.UTC(
    part(0, 4),
    part(5, 2) - 1,
    part(8, 2),
    part(11, 2),
    part(14, 2),
    part(17, 2),
    ms,
  );
}
