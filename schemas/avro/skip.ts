import type { ByteCursor } from "./byte-cursor.ts";
import { DecodeError } from "./errors.ts";
import type { ItemSizes } from "./item-size.ts";
import type { RecordSchema, Schema } from "./schema.ts";

export type Skip = (cursor: ByteCursor) => void;

const skipNothing: Skip = () => undefined;
const skipNumber: Skip = (cursor) => cursor.skipNumber();
const skipLengthed: Skip = (cursor) => cursor.skipLengthed();

/** Makes functions that pass over a datum of the writer's that the reader doesn't want. */
export class Skips {
  readonly #sizes: ItemSizes;
  readonly #records = new Map<RecordSchema, Skip>();

  constructor(sizes: ItemSizes) {
    this.#sizes = sizes;
  }

  of(schema: Schema): Skip {
    switch (schema.kind) {
      case "null":
        return skipNothing;
      case "boolean":
        return (cursor) => void cursor.boolean();
      case "int":
      case "long":
        return skipNumber;
      case "float":
        return (cursor) => void cursor.skip(4);
      case "double":
        return (cursor) => void cursor.skip(8);
      case "bytes":
      case "string":
        return skipLengthed;
      case "fixed":
        return schema.size === 0 ? skipNothing : (cursor) => void cursor.skip(schema.size);
      case "enum":
        return (cursor) => void cursor.index(schema.symbols.length);
      case "array":
        return this.#blocks(schema.items, skipNothing);
      case "map":
        return this.#blocks(schema.values, skipLengthed);
      case "union":
        return this.#union(schema.branches);
      case "record":
        break;
    }
    return this.#record(schema);
  }

  #blocks(item: Schema, skipKey: Skip): Skip {
    const skipItem = this.of(item);
    const bytesMin = this.#sizes.bytesMin(item) + (skipKey === skipNothing ? 0 : 1);
    return (cursor) => {
      for (;;) {
        const count = cursor.blockCountToSkip(bytesMin);
        if (count === 0) return;
        for (let done = 0; done < count; done += 1) {
          skipKey(cursor);
          skipItem(cursor);
        }
      }
    };
  }

  #union(branches: readonly Schema[]): Skip {
    const skips = branches.map((branch) => this.of(branch));
    return (cursor) => {
      const skip = skips[cursor.index(skips.length)];
      if (skip === undefined) throw new DecodeError("An empty union has no data.");
      skip(cursor);
    };
  }

  /** A record that takes no bytes is passed over at once, however many records stand in it. */
  #record(schema: RecordSchema): Skip {
    const known = this.#records.get(schema);
    if (known !== undefined) return known;
    const steps: Skip[] = [];
    const skip: Skip = (cursor) => {
      cursor.descend();
      for (const step of steps) step(cursor);
      cursor.depth -= 1;
    };
    this.#records.set(schema, skip);
    for (const field of schema.fields) {
      const step = this.of(field.type);
      if (step !== skipNothing) steps.push(step);
    }
    if (steps.length > 0) return skip;
    this.#records.set(schema, skipNothing);
    return skipNothing;
  }
}
