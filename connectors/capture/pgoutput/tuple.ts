/** What a column of a tuple carries. */
export const present = 0x74; // t: its text
export const nothing = 0x6e; // n: null, or not part of the key
export const unchanged = 0x75; // u: an unchanged value stored out of line, which was not sent

/** Columns of a table at most (MaxTupleAttributeNumber in Postgres' htup_details.h). */
const columnsMax = 1_664;

/**
 * The columns of one row as they lie in the message: where each one's text begins and ends. One
 * object is filled again for every row.
 */
export class Tuple {
  bytes: Buffer = Buffer.alloc(0);
  count = 0;
  readonly kind = new Uint8Array(columnsMax);
  readonly start = new Int32Array(columnsMax);
  readonly end = new Int32Array(columnsMax);

  /** Reads a TupleData at `at`; gives where it ends. */
  read(bytes: Buffer, at: number): number {
    const count = bytes.readUInt16BE(at);
    let here = at + 2;
    this.bytes = bytes;
    this.count = count;
    for (let column = 0; column < count; column++) {
      const kind = bytes[here++] as number;
      this.kind[column] = kind;
      if (kind !== present) continue;
      const size = bytes.readUInt32BE(here);
      here += 4;
      this.start[column] = here;
      here += size;
      this.end[column] = here;
    }
    return here;
  }

  /** The text of a column that is present. */
  text(column: number): string {
    return this.bytes.toString("utf8", this.start[column], this.end[column]);
  }

  /** Do two tuples carry the same bytes in this column? */
  same(other: Tuple, column: number): boolean {
    if (this.kind[column] !== other.kind[column]) return false;
    if (this.kind[column] !== present) return true;
    const mine = this.bytes.subarray(this.start[column], this.end[column]);
    return mine.equals(other.bytes.subarray(other.start[column], other.end[column]));
  }
}

/** Makes the message form of a row out of texts, for rows that a query gave. */
export function encodeTuple(texts: readonly (string | null)[]): Buffer {
  const values = texts.map((text) => (text === null ? null : Buffer.from(text, "utf8")));
  const size = values.reduce((sum, value) => sum + (value ? 5 + value.length : 1), 2);
  const bytes = Buffer.allocUnsafe(size);
  let at = bytes.writeUInt16BE(values.length, 0);
  for (const value of values) {
    bytes[at++] = value ? present : nothing;
    if (!value) continue;
    at = bytes.writeUInt32BE(value.length, at);
    bytes.set(value, at);
    at += value.length;
  }
  return bytes;
}
