import type { ByteCursor } from "./byte-cursor.ts";
import { isCompatible } from "./compatibility.ts";
import { defaultValue, readAsBigInt } from "./default-value.ts";
import { DecodeError } from "./errors.ts";
import { ItemSizes } from "./item-size.ts";
import { namesMatch, promotes, writerFieldOf } from "./matching.ts";
import { recordReader, type FieldStep } from "./record-reader.ts";
import { describe, isNamed, type Field, type RecordSchema, type Schema } from "./schema.ts";
import { Skips } from "./skip.ts";

export type Read = (cursor: ByteCursor) => unknown;

/** How to read, or why it can never be done. */
export type Resolved =
  | { readonly read: Read; readonly fault?: never }
  | { readonly fault: string; readonly read?: never };

/** A record that is being resolved or was; `read` is set once it is. */
interface RecordSlot {
  resolved?: Resolved;
}

const reads = {
  null: () => null,
  boolean: (cursor: ByteCursor) => cursor.boolean(),
  int: (cursor: ByteCursor) => cursor.int(),
  long: (cursor: ByteCursor) => cursor.long(),
  bigLong: (cursor: ByteCursor) => cursor.bigLong(),
  longAsDouble: (cursor: ByteCursor) => cursor.longAsDouble(),
  longAsFloat: (cursor: ByteCursor) => Math.fround(cursor.longAsDouble()),
  float: (cursor: ByteCursor) => cursor.float(),
  double: (cursor: ByteCursor) => cursor.double(),
  string: (cursor: ByteCursor) => cursor.string(),
  bytes: (cursor: ByteCursor) => cursor.bytes(),
} as const satisfies Record<string, Read>;

/** Resolves one reader's schema against one writer's. */
export class Resolution {
  readonly #longs: "number" | "bigint";
  readonly #sizes = new ItemSizes();
  readonly #skips = new Skips(this.#sizes);
  readonly #records = new Map<RecordSchema, Map<RecordSchema, RecordSlot>>();

  constructor(longs: "number" | "bigint") {
    this.#longs = longs;
  }

  resolve(reader: Schema, writer: Schema, path: string): Resolved {
    if (writer.kind === "union") return this.#writerUnion(reader, writer.branches, path);
    if (reader.kind === "union") return this.#readerUnion(reader.branches, writer, path);
    if (isNamed(reader) && isNamed(writer) && !namesMatch(reader, writer)) {
      return mismatch(reader, writer, path);
    }
    if (reader.kind === "record" && writer.kind === "record") {
      return this.#record(reader, writer, path);
    }
    if (reader.kind === "array" && writer.kind === "array") {
      return {
        read: this.#array(this.resolve(reader.items, writer.items, `${path}/items`), writer.items),
      };
    }
    if (reader.kind === "map" && writer.kind === "map") {
      const values = this.resolve(reader.values, writer.values, `${path}/values`);
      return { read: this.#map(values, writer.values) };
    }
    if (reader.kind === "enum" && writer.kind === "enum") {
      return { read: enumReader(writer.symbols, reader.symbols, reader.default) };
    }
    if (reader.kind === "fixed" && writer.kind === "fixed" && reader.size === writer.size) {
      const { size } = reader;
      return { read: (cursor) => cursor.fixed(size) };
    }
    return this.#primitive(reader, writer, path);
  }

  #primitive(reader: Schema, writer: Schema, path: string): Resolved {
    const { kind } = reader;
    if (kind !== writer.kind && !promotes(writer.kind, kind)) return mismatch(reader, writer, path);
    switch (kind) {
      case "long":
        return {
          read: this.#longs === "bigint" || readAsBigInt(reader) ? reads.bigLong : reads.long,
        };
      case "float":
        return { read: writer.kind === "float" ? reads.float : reads.longAsFloat };
      case "double":
        if (writer.kind === "double") return { read: reads.double };
        return { read: writer.kind === "float" ? reads.float : reads.longAsDouble };
      case "null":
      case "boolean":
      case "int":
      case "string":
      case "bytes":
        return { read: reads[kind] };
      default:
        return mismatch(reader, writer, path);
    }
  }

  /** Each branch of the writer's resolves by itself; one that can't be read fails where it occurs. */
  #writerUnion(reader: Schema, branches: readonly Schema[], path: string): Resolved {
    const resolved = branches.map((branch) => this.resolve(reader, branch, path));
    const faults = resolved.flatMap(({ fault }) => fault ?? []);
    const [fault] = faults;
    if (fault !== undefined && faults.length === branches.length) return { fault };
    return { read: unionReader(resolved.map(orThrow)) };
  }

  #readerUnion(branches: readonly Schema[], writer: Schema, path: string): Resolved {
    const candidates = branchesInOrder(branches, writer);
    const wholly = candidates.find((branch) => isCompatible(branch, writer));
    if (wholly !== undefined) return this.resolve(wholly, writer, path);
    const resolved = candidates.map((branch) => this.resolve(branch, writer, path));
    const partly = resolved.find(({ fault }) => fault === undefined) ?? resolved[0];
    if (partly !== undefined) return partly;
    const known = branches.map(describe).join(", ");
    return { fault: `${at(path)} the reader's union of ${known} has no ${describe(writer)}.` };
  }

  #array(items: Resolved, writer: Schema): Read {
    const bytesMin = this.#sizes.bytesMin(writer);
    const read = orThrow(items);
    return (cursor) => {
      const list: unknown[] = [];
      for (let count = cursor.blockCount(bytesMin); count > 0;) {
        for (let done = 0; done < count; done += 1) list.push(read(cursor));
        count = cursor.blockCount(bytesMin);
      }
      return list;
    };
  }

  #map(values: Resolved, writer: Schema): Read {
    const bytesMin = 1 + this.#sizes.bytesMin(writer);
    const read = orThrow(values);
    return (cursor) => {
      const map: Record<string, unknown> = {};
      for (let count = cursor.blockCount(bytesMin); count > 0;) {
        for (let done = 0; done < count; done += 1) {
          const key = cursor.string();
          // Assigning it would give the object another prototype.
          if (key === "__proto__") throw new DecodeError("A map has the key __proto__.");
          map[key] = read(cursor);
        }
        count = cursor.blockCount(bytesMin);
      }
      return map;
    };
  }

  #record(reader: RecordSchema, writer: RecordSchema, path: string): Resolved {
    const ofReader = this.#records.get(reader) ?? new Map<RecordSchema, RecordSlot>();
    this.#records.set(reader, ofReader);
    const known = ofReader.get(writer);
    if (known !== undefined) return known.resolved ?? { read: nestedReader(known) };
    const slot: RecordSlot = {};
    ofReader.set(writer, slot);
    slot.resolved = this.#newRecord(reader, writer, path);
    return slot.resolved;
  }

  #newRecord(reader: RecordSchema, writer: RecordSchema, path: string): Resolved {
    const defaults: { readonly name: string; readonly make: () => unknown }[] = [];
    const wanted = new Map<string, Field>();
    for (const field of reader.fields) {
      const source = writerFieldOf(field, writer);
      if (source !== undefined && !wanted.has(source.name)) {
        wanted.set(source.name, field);
      } else if (field.default !== undefined) {
        const make = this.#default(field.type, field.default.value);
        defaults.push({ name: field.name, make });
      } else {
        const name = `${reader.fullName}.${field.name}`;
        return { fault: `${at(path)} the writer has no field for ${name}, and it has no default.` };
      }
    }
    const steps: FieldStep[] = [];
    for (const field of writer.fields) {
      const target = wanted.get(field.name);
      if (target === undefined) {
        steps.push({ skip: this.#skips.of(field.type) });
        continue;
      }
      const resolved = this.resolve(target.type, field.type, `${path}/${field.name}`);
      if (resolved.fault !== undefined) return resolved;
      steps.push({ name: target.name, read: resolved.read });
    }
    return { read: recordReader({ steps, defaults }) };
  }

  #default(type: Schema, json: unknown): () => unknown {
    if (this.#longs === "bigint" && type.kind === "long") {
      const value = BigInt(json as number);
      return () => value;
    }
    return defaultValue(type, json);
  }
}

/** A record within itself: its reader isn't there yet, and its depth is bounded. */
function nestedReader(slot: RecordSlot): Read {
  return (cursor) => {
    const { resolved } = slot;
    if (resolved?.read === undefined) throw new DecodeError(resolved?.fault ?? "Not resolved.");
    cursor.descend();
    const value = resolved.read(cursor);
    cursor.depth -= 1;
    return value;
  };
}

function unionReader(branches: readonly Read[]): Read {
  const [first, second] = branches;
  if (branches.length === 2 && first !== undefined && second !== undefined) {
    return (cursor) => (cursor.index(2) === 0 ? first(cursor) : second(cursor));
  }
  return (cursor) => {
    const read = branches[cursor.index(branches.length)];
    if (read === undefined) throw new DecodeError("An empty union has no data.");
    return read(cursor);
  };
}

function enumReader(
  written: readonly string[],
  known: readonly string[],
  fallback: string | undefined,
): Read {
  const values = written.map((symbol) => (known.includes(symbol) ? symbol : fallback));
  return (cursor) => {
    const index = cursor.index(values.length);
    const value = values[index];
    if (value === undefined) throw new DecodeError(`The reader has no symbol ${written[index]}.`);
    return value;
  };
}

/** Equal types before promotions; among named ones, the full name (or an alias) before the name. */
function branchesInOrder(branches: readonly Schema[], writer: Schema): readonly Schema[] {
  const rank = (branch: Schema): number => {
    if (branch.kind !== writer.kind) return promotes(writer.kind, branch.kind) ? 3 : 0;
    if (!isNamed(branch) || !isNamed(writer)) return 1;
    if (branch.fullName === writer.fullName || branch.aliases.includes(writer.fullName)) return 1;
    return branch.shortName === writer.shortName ? 2 : 0;
  };
  return branches
    .filter((branch) => rank(branch) > 0)
    .toSorted((left, right) => rank(left) - rank(right));
}

function orThrow(resolved: Resolved): Read {
  const { fault, read } = resolved;
  if (fault === undefined) return read;
  return () => {
    throw new DecodeError(fault);
  };
}

function mismatch(reader: Schema, writer: Schema, path: string): Resolved {
  return { fault: `${at(path)} ${describe(writer)} can't be read as ${describe(reader)}.` };
}

function at(path: string): string {
  return `At ${path === "" ? "/" : path}:`;
}
