import type { RecordSchema, Schema } from "./schema.ts";

/** Cap of the sums below; anything as large is refused by the payload's own size. */
const manyBytes = 2 ** 31;

/** The least bytes that a datum of a schema takes, so that announced counts can be checked. */
export class ItemSizes {
  readonly #records = new Map<RecordSchema, number>();

  bytesMin(schema: Schema): number {
    switch (schema.kind) {
      case "null":
        return 0;
      case "float":
        return 4;
      case "double":
        return 8;
      case "fixed":
        return schema.size;
      case "record":
        return this.#ofRecord(schema);
      case "union":
        return this.#ofUnion(schema.branches);
      default:
        return 1;
    }
  }

  /** A record within itself counts 0 there: it can only end in a branch that leaves it out. */
  #ofRecord(schema: RecordSchema): number {
    const known = this.#records.get(schema);
    if (known !== undefined) return known;
    this.#records.set(schema, 0);
    let sum = 0;
    for (const field of schema.fields) sum += this.bytesMin(field.type);
    const bytes = Math.min(sum, manyBytes);
    this.#records.set(schema, bytes);
    return bytes;
  }

  /** The branch's index takes a byte at least. */
  #ofUnion(branches: readonly Schema[]): number {
    let least = manyBytes;
    for (const branch of branches) least = Math.min(least, this.bytesMin(branch));
    return 1 + (branches.length === 0 ? 0 : least);
  }
}
