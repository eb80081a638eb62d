import { namesMatch, promotes, writerFieldOf } from "./matching.ts";
import { RecordPairs } from "./record-pairs.ts";
import {
  isNamed,
  type EnumSchema,
  type Field,
  type NamedSchema,
  type RecordSchema,
  type Schema,
} from "./schema.ts";

/** As Java's `SchemaCompatibility.SchemaIncompatibilityType` names them. */
export type IncompatibilityReason =
  | "NAME_MISMATCH"
  | "FIXED_SIZE_MISMATCH"
  | "MISSING_ENUM_SYMBOLS"
  | "READER_FIELD_MISSING_DEFAULT_VALUE"
  | "TYPE_MISMATCH"
  | "MISSING_UNION_BRANCH";

export interface Incompatibility {
  readonly reason: IncompatibilityReason;
  /**
   * JSON pointer into the reader's schema; where a branch of the writer's union has no reader, the
   * index is the writer's.
   */
  readonly path: string;
  readonly message: string;
}

/**
 * Can every datum of the writer's schema be read with the reader's? Empty when it can. Rules,
 * reasons and paths are those of Java's `SchemaCompatibility`: names match without their namespace
 * or by a reader's alias.
 */
export function incompatibilities(reader: Schema, writer: Schema): readonly Incompatibility[] {
  const check = new CompatibilityCheck();
  check.compare(reader, writer, "");
  return check.found;
}

export function isCompatible(reader: Schema, writer: Schema): boolean {
  return incompatibilities(reader, writer).length === 0;
}

/** Compares every pair of records once, however often and however deep it stands. */
class CompatibilityCheck {
  readonly found: Incompatibility[] = [];
  readonly #pairs = new RecordPairs();
  /** Above 0 while branches of a union are tried: what is found then is no fault yet. */
  #trials = 0;

  compare(reader: Schema, writer: Schema, path: string): boolean {
    if (reader.kind === writer.kind) return this.#sameKind(reader, writer, path);
    if (writer.kind === "union") {
      return every(writer.branches, (branch) => this.compare(reader, branch, path));
    }
    if (reader.kind === "union") {
      const found = reader.branches.some((branch) => this.#readable(branch, writer));
      return found || this.#missingBranch(writer, path);
    }
    return promotes(writer.kind, reader.kind) || this.#typeMismatch(reader, writer, path);
  }

  #sameKind(reader: Schema, writer: Schema, path: string): boolean {
    if (isNamed(reader) && isNamed(writer)) return this.#named(reader, writer, path);
    if (reader.kind === "array" && writer.kind === "array") {
      return this.compare(reader.items, writer.items, `${path}/items`);
    }
    if (reader.kind === "map" && writer.kind === "map") {
      return this.compare(reader.values, writer.values, `${path}/values`);
    }
    if (reader.kind === "union" && writer.kind === "union") {
      return every(
        writer.branches,
        (branch, index) =>
          this.#readable(reader, branch) || this.#missingBranch(branch, `${path}/${index}`),
      );
    }
    return true;
  }

  #named(reader: NamedSchema, writer: NamedSchema, path: string): boolean {
    const sameName =
      namesMatch(reader, writer) ||
      this.#add("NAME_MISMATCH", `${path}/name`, `expected: ${writer.fullName}`);
    return this.#sameDefinition(reader, writer, path) && sameName;
  }

  #sameDefinition(reader: NamedSchema, writer: NamedSchema, path: string): boolean {
    if (reader.kind === "fixed" && writer.kind === "fixed") {
      const message = `expected: ${writer.size}, found: ${reader.size}`;
      return (
        reader.size === writer.size || this.#add("FIXED_SIZE_MISMATCH", `${path}/size`, message)
      );
    }
    if (reader.kind === "enum" && writer.kind === "enum")
      return this.#symbols(reader, writer, path);
    if (reader.kind === "record" && writer.kind === "record") {
      return this.#records(reader, writer, path);
    }
    return true;
  }

  #symbols(reader: EnumSchema, writer: EnumSchema, path: string): boolean {
    const missing = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol)).sort();
    if (missing.length === 0 || reader.default !== undefined) return true;
    return this.#add("MISSING_ENUM_SYMBOLS", `${path}/symbols`, `[${missing.join(", ")}]`);
  }

  /** A pair of records within itself is taken to be compatible, until it is found not to be. */
  #records(reader: RecordSchema, writer: RecordSchema, path: string): boolean {
    const known = this.#pairs.verdict(reader, writer, this.#trials === 0);
    if (known !== undefined) return known;
    const mark = this.#pairs.begin(reader, writer);
    const compatible = every(reader.fields, (field, index) => {
      const source = writerFieldOf(field, writer);
      const at = `${path}/fields/${index}`;
      if (source !== undefined) return this.compare(field.type, source.type, `${at}/type`);
      return field.default !== undefined || this.#missingField(field, writer, at);
    });
    if (!compatible) this.#pairs.fail(mark, this.#trials === 0);
    return compatible;
  }

  /** An enum's own default stands in for a symbol, not for a field; Java says so by types. */
  #missingField(field: Field, writer: RecordSchema, path: string): boolean {
    if (field.type.kind === "enum" && field.type.default !== undefined) {
      return this.#typeMismatch(field.type, writer, `${path}/type`);
    }
    return this.#add("READER_FIELD_MISSING_DEFAULT_VALUE", path, field.name);
  }

  #readable(reader: Schema, writer: Schema): boolean {
    this.#trials += 1;
    const compatible = this.compare(reader, writer, "");
    this.#trials -= 1;
    return compatible;
  }

  #missingBranch(writer: Schema, path: string): false {
    const message = `reader union lacking writer type: ${writer.kind.toUpperCase()}`;
    return this.#add("MISSING_UNION_BRANCH", path, message);
  }

  #typeMismatch(reader: Schema, writer: Schema, path: string): false {
    const [read, written] = [reader.kind.toUpperCase(), writer.kind.toUpperCase()];
    const message = `reader type: ${read} not compatible with writer type: ${written}`;
    return this.#add("TYPE_MISMATCH", path, message);
  }

  #add(reason: IncompatibilityReason, path: string, message: string): false {
    if (this.#trials === 0) {
      this.found.push({ reason, path: path === "" ? "/" : path, message });
    }
    return false;
  }
}

/** As `Array.every`, but goes on after a no, so that every fault is found. */
function every<T>(items: readonly T[], test: (item: T, index: number) => boolean): boolean {
  let all = true;
  for (const [index, item] of items.entries()) all = test(item, index) && all;
  return all;
}
