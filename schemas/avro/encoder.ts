import { ByteSink } from "./byte-sink.ts";
import { branchOfDefault } from "./default-check.ts";
import { defaultValue } from "./default-value.ts";
import { EncodeError } from "./errors.ts";
import { branchOf } from "./value-check.ts";
import { describe, type EnumSchema, type Field, type RecordSchema, type Schema } from "./schema.ts";

export interface Encoder {
  /**
   * The Avro bytes of a value, after a frame's first bytes where `frame` is given. Unions are
   * unwrapped: the first branch that the value fits is written. A record's field that is undefined
   * takes its default. Longs may be bigints.
   *
   * @throws EncodeError with the place in the value.
   */
  encode(value: unknown, frame?: { readonly schemaId: number }): Buffer;
}

type Write = (sink: ByteSink, value: unknown, path: string) => void;

export function makeEncoder(schema: Schema): Encoder {
  const write = new Writes().of(schema);
  const sink = new ByteSink();
  return {
    encode(value, frame) {
      sink.reset();
      if (frame !== undefined) {
        sink.byte(0);
        sink.uint32(frame.schemaId);
      }
      try {
        write(sink, value, "");
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw new EncodeError("", `it is nested too deeply (${error.message})`);
      }
      return sink.copy();
    },
  };
}

const longMin = -(2n ** 63n);
const longMax = 2n ** 63n - 1n;

const primitives = {
  null: (_, value, path) => {
    if (value !== null) wrong("null", value, path);
  },
  boolean: (sink, value, path) => {
    if (typeof value !== "boolean") wrong("a boolean", value, path);
    sink.byte(value ? 1 : 0);
  },
  int: (sink, value, path) => {
    if (typeof value !== "number" || value !== (value | 0)) wrong("a 32-bit integer", value, path);
    sink.long(value);
  },
  long: (sink, value, path) => {
    if (Number.isSafeInteger(value)) sink.long(value as number);
    else if (typeof value === "bigint" && value >= longMin && value <= longMax) sink.bigLong(value);
    else wrong("a safe integer or a 64-bit bigint", value, path);
  },
  float: (sink, value, path) => {
    if (typeof value !== "number") wrong("a number", value, path);
    sink.float(value);
  },
  double: (sink, value, path) => {
    if (typeof value !== "number") wrong("a number", value, path);
    sink.double(value);
  },
  string: (sink, value, path) => {
    if (typeof value !== "string") wrong("text", value, path);
    // UTF-8 has no code for half a surrogate pair: it would come back as another text.
    if (!value.isWellFormed()) wrong("text without lone surrogates", value, path);
    sink.string(value);
  },
  bytes: (sink, value, path) => {
    if (!(value instanceof Uint8Array)) wrong("bytes", value, path);
    sink.long(value.length);
    sink.bytes(value);
  },
} as const satisfies Record<string, Write>;

/** Makes the functions that write data of a schema. */
class Writes {
  readonly #records = new Map<RecordSchema, Write>();

  of(schema: Schema): Write {
    switch (schema.kind) {
      case "array":
        return this.#array(schema.items);
      case "map":
        return this.#map(schema.values);
      case "union":
        return this.#union(schema.branches);
      case "enum":
        return enumWrite(schema);
      case "record":
        return this.#record(schema);
      case "fixed":
        return (sink, value, path) => {
          const fits = value instanceof Uint8Array && value.length === schema.size;
          if (!fits) wrong(`${schema.size} bytes`, value, path);
          sink.bytes(value);
        };
      default:
        return primitives[schema.kind];
    }
  }

  #array(items: Schema): Write {
    const write = this.of(items);
    return (sink, value, path) => {
      if (!Array.isArray(value)) wrong("a list", value, path);
      if (value.length > 0) sink.long(value.length);
      for (const [index, item] of value.entries()) write(sink, item, `${path}/${index}`);
      sink.byte(0);
    };
  }

  #map(values: Schema): Write {
    const write = this.of(values);
    return (sink, value, path) => {
      if (typeof value !== "object" || value === null) wrong("an object", value, path);
      const entries = Object.entries(value);
      if (entries.length > 0) sink.long(entries.length);
      for (const [key, item] of entries) {
        if (key === "__proto__") wrong("a map without the key __proto__", value, path);
        primitives.string(sink, key, path);
        write(sink, item, `${path}/${key}`);
      }
      sink.byte(0);
    };
  }

  #union(branches: readonly Schema[]): Write {
    const writes = branches.map((branch) => this.of(branch));
    const nullAt = branches.findIndex((branch) => branch.kind === "null");
    const soleAt = branches.length === 2 && nullAt >= 0 ? 1 - nullAt : undefined;
    return (sink, value, path) => {
      // A value that is not null goes to the only other branch, which says best what is wrong.
      const index = value === null ? nullAt : (soleAt ?? branchOf(branches, value));
      const write = writes[index];
      if (write === undefined) wrong(describe({ kind: "union", branches }), value, path);
      sink.long(index);
      write(sink, value, path);
    };
  }

  #record(schema: RecordSchema): Write {
    const known = this.#records.get(schema);
    if (known !== undefined) return known;
    const fields: { readonly name: string; readonly write: Write }[] = [];
    const write: Write = (sink, value, path) => {
      if (typeof value !== "object" || value === null) wrong(describe(schema), value, path);
      const record = value as Readonly<Record<string, unknown>>;
      for (const field of fields) field.write(sink, record[field.name], path);
    };
    this.#records.set(schema, write);
    for (const field of schema.fields) fields.push({ name: field.name, write: this.#field(field) });
    return write;
  }

  #field(field: Field): Write {
    const write = this.of(field.type);
    const { name } = field;
    const within = (path: string): string => (path === "" ? name : `${path}/${name}`);
    const fallback = field.default === undefined ? undefined : this.#default(field);
    return (sink, value, path) => {
      if (value === undefined && fallback !== undefined) fallback(sink, within(path));
      else write(sink, value, path === "" ? name : within(path));
    };
  }

  /** The branch of a union's default is the one that its JSON is of, not the value's first fit. */
  #default(field: Field): (sink: ByteSink, path: string) => void {
    const json = field.default?.value;
    const { type } = field;
    const make = defaultValue(type, json);
    if (type.kind !== "union") {
      return (sink, path) => this.of(type)(sink, make(), path);
    }
    const branch = branchOfDefault(type.branches, json) ?? type;
    const index = type.branches.indexOf(branch);
    return (sink, path) => {
      sink.long(index);
      this.of(branch)(sink, make(), path);
    };
  }
}

function enumWrite(schema: EnumSchema): Write {
  const indexes = new Map<unknown, number>(schema.symbols.map((symbol, index) => [symbol, index]));
  return (sink, value, path) => {
    const index = indexes.get(value);
    if (index === undefined) wrong(`one of ${schema.symbols.join(", ")}`, value, path);
    sink.long(index);
  };
}

function wrong(expected: string, value: unknown, path: string): never {
  throw new EncodeError(path, `expected ${expected}, found ${shown(value)}`);
}

function shown(value: unknown): string {
  if (typeof value === "string") return `the text ${JSON.stringify(value.slice(0, 40))}`;
  if (typeof value === "bigint" || typeof value === "number") return String(value);
  if (value === null || value === undefined) return String(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return Array.isArray(value) ? "a list" : `a value of type ${typeof value}`;
}
