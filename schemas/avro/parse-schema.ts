import { DefaultCheck } from "./default-check.ts";
import { SchemaError } from "./errors.ts";
import { namedTypes } from "./named-types.ts";
import { aliasesOf, nameOf, namePattern, type QualifiedName } from "./names.ts";
import {
  isNamed,
  primitiveKinds,
  type Attributes,
  type EnumSchema,
  type Field,
  type FixedSchema,
  type NamedSchema,
  type PrimitiveKind,
  type PrimitiveSchema,
  type RecordSchema,
  type Schema,
  type UnionSchema,
} from "./schema.ts";

export interface ParseOptions {
  /** Named types that the schema may refer to without defining them. */
  readonly references?: readonly Schema[];
  /** Schemas nested deeper are refused. */
  readonly depthMax?: number;
}

type Json = Readonly<Record<string, unknown>>;
type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

const primitives: ReadonlySet<string> = new Set(primitiveKinds);

/**
 * Parses a schema from its JSON text, or from parsed JSON.
 *
 * @throws SchemaError with the place of the fault.
 */
export function parseSchema(source: unknown, options: ParseOptions = {}): Schema {
  const parser = new Parser(options);
  try {
    const schema = parser.parse(typeof source === "string" ? jsonOf(source) : source);
    parser.checkDefaults();
    return schema;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SchemaError("", "it is nested too deeply", { cause: error });
  }
}

/** A bare name such as `int` is taken as a schema too: JSON's quotes are easily forgotten. */
function jsonOf(text: string): unknown {
  if (primitives.has(text)) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SchemaError("", `it is not JSON (${(cause as Error).message})`, { cause });
  }
}

/** Where a schema stands: its path and the namespace that names without one fall into. */
interface Place {
  readonly path: string;
  readonly namespace: string;
  readonly depth: number;
}

class Parser {
  readonly #named = new Map<string, NamedSchema>();
  readonly #defaults = new DefaultCheck();
  readonly #depthMax: number;

  constructor(options: ParseOptions) {
    this.#depthMax = options.depthMax ?? 128;
    for (const known of namedTypes(options.references ?? [])) {
      if (!this.#named.has(known.fullName)) this.#named.set(known.fullName, known);
    }
  }

  parse(json: unknown): Schema {
    return this.#schema(json, { path: "", namespace: "", depth: 0 });
  }

  /** After the whole schema is known: a default may be of a type that is defined around it. */
  checkDefaults(): void {
    this.#defaults.run();
  }

  #schema(json: unknown, place: Place): Schema {
    if (place.depth > this.#depthMax) {
      throw new SchemaError(place.path, `it is nested deeper than ${this.#depthMax}`);
    }
    if (typeof json === "string") return this.#byName(json, place);
    if (Array.isArray(json)) return this.#union(json, place);
    if (typeof json !== "object" || json === null) {
      throw new SchemaError(
        place.path,
        `a schema is a name, an object or a list, not ${show(json)}`,
      );
    }
    return this.#object(json as Json, place);
  }

  #byName(name: string, place: Place): Schema {
    if (primitives.has(name)) return { kind: name as PrimitiveKind, attributes: {} };
    const inside = place.namespace === "" ? name : `${place.namespace}.${name}`;
    const found =
      (name.includes(".") ? undefined : this.#named.get(inside)) ?? this.#named.get(name);
    if (found === undefined) {
      throw new SchemaError(place.path, `no type ${show(name)} is defined before this place`);
    }
    return found;
  }

  #union(json: readonly unknown[], place: Place): UnionSchema {
    const branches = json.map((branch, index) => this.#schema(branch, within(place, index)));
    const seen = new Set<string>();
    for (const [index, branch] of branches.entries()) {
      const path = `${place.path}/${index}`;
      if (branch.kind === "union") throw new SchemaError(path, "a union can't hold a union");
      const label = isNamed(branch) ? branch.fullName : branch.kind;
      if (seen.has(label)) throw new SchemaError(path, `the union has ${label} twice`);
      seen.add(label);
    }
    return { kind: "union", branches };
  }

  #object(json: Json, place: Place): Schema {
    const { type } = json;
    switch (type) {
      case "record":
      case "error":
        return this.#record(json, place);
      case "enum":
        return this.#enum(json, place);
      case "fixed":
        return this.#fixed(json, place);
      case "array":
        return {
          kind: "array",
          items: this.#schema(json["items"], within(place, "items")),
          attributes: attributesOf(json, ["type", "items"]),
        };
      case "map":
        return {
          kind: "map",
          values: this.#schema(json["values"], within(place, "values")),
          attributes: attributesOf(json, ["type", "values"]),
        };
      default:
        return this.#wrapped(json, place);
    }
  }

  /** `{"type": "long", ...}`, or a schema in an object of its own. */
  #wrapped(json: Json, place: Place): Schema {
    const { type } = json;
    if (type === undefined) throw new SchemaError(place.path, "it has no type");
    if (typeof type === "string" && primitives.has(type)) {
      const primitive: PrimitiveSchema = {
        kind: type as PrimitiveKind,
        attributes: attributesOf(json, ["type"]),
      };
      return primitive;
    }
    return this.#schema(type, within(place, "type"));
  }

  #record(json: Json, place: Place): RecordSchema {
    const name = nameOf(json, place);
    const fields: Field[] = [];
    const known = ["type", "name", "namespace", "doc", "aliases", "fields"];
    const record: RecordSchema = { kind: "record", ...naming(json, name, place, known), fields };
    this.#define(record, place);
    if (!Array.isArray(json["fields"])) {
      throw new SchemaError(place.path, "a record has a list of fields");
    }
    const inside = { ...place, namespace: name.namespace };
    const seen = new Set<string>();
    for (const [index, field] of json["fields"].entries()) {
      const parsed = this.#field(field, within(within(inside, "fields"), index));
      if (seen.has(parsed.name)) {
        throw new SchemaError(
          `${place.path}/fields/${index}`,
          `two fields are named ${parsed.name}`,
        );
      }
      seen.add(parsed.name);
      fields.push(parsed);
    }
    return record;
  }

  #field(json: unknown, place: Place): Field {
    if (typeof json !== "object" || json === null) {
      throw new SchemaError(place.path, `a field is an object, not ${show(json)}`);
    }
    const source = json as Json;
    const { name, order = "ascending" } = source;
    if (typeof name !== "string" || !namePattern.test(name)) {
      throw new SchemaError(place.path, `a field can't be named ${show(name)}`);
    }
    if (order !== "ascending" && order !== "descending" && order !== "ignore") {
      throw new SchemaError(place.path, `the order of a field can't be ${show(order)}`);
    }
    const field: Writable<Field> = {
      name,
      aliases: listOfNames(source["aliases"], place.path),
      type: this.#schema(source["type"], within(place, "type")),
      order,
      attributes: attributesOf(source, ["name", "type", "default", "doc", "order", "aliases"]),
    };
    if (typeof source["doc"] === "string") field.doc = source["doc"];
    if (Object.hasOwn(source, "default")) {
      field.default = { value: source["default"] };
      this.#defaults.add(field.type, source["default"], `${place.path}/default`);
    }
    return field;
  }

  #enum(json: Json, place: Place): EnumSchema {
    const name = nameOf(json, place);
    const symbols = listOfNames(json["symbols"], `${place.path}/symbols`, "required");
    if (new Set(symbols).size < symbols.length) {
      throw new SchemaError(`${place.path}/symbols`, "a symbol stands there twice");
    }
    const known = ["type", "name", "namespace", "doc", "aliases", "symbols", "default"];
    const schema: Writable<EnumSchema> = {
      kind: "enum",
      ...naming(json, name, place, known),
      symbols,
    };
    const fallback = json["default"];
    if (fallback !== undefined) {
      if (typeof fallback !== "string" || !symbols.includes(fallback)) {
        throw new SchemaError(`${place.path}/default`, `${show(fallback)} is none of the symbols`);
      }
      schema.default = fallback;
    }
    return this.#define(schema, place);
  }

  #fixed(json: Json, place: Place): FixedSchema {
    const name = nameOf(json, place);
    const { size } = json;
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
      throw new SchemaError(`${place.path}/size`, `${show(size)} is not a number of bytes`);
    }
    const known = ["type", "name", "namespace", "doc", "aliases", "size"];
    return this.#define({ kind: "fixed", ...naming(json, name, place, known), size }, place);
  }

  #define<T extends NamedSchema>(schema: T, place: Place): T {
    if (primitives.has(schema.fullName)) {
      throw new SchemaError(place.path, `${schema.fullName} is a primitive type's name`);
    }
    if (this.#named.has(schema.fullName)) {
      throw new SchemaError(place.path, `${schema.fullName} is defined twice`);
    }
    this.#named.set(schema.fullName, schema);
    return schema;
  }
}

function naming(
  json: Json,
  name: QualifiedName,
  place: Place,
  known: readonly string[],
): Omit<FixedSchema, "kind" | "size"> {
  const { fullName, shortName } = name;
  const base = {
    fullName,
    shortName,
    aliases: aliasesOf(json["aliases"], name.namespace, place.path),
    attributes: attributesOf(json, known),
  };
  return typeof json["doc"] === "string" ? { ...base, doc: json["doc"] } : base;
}

function within(place: Place, token: string | number): Place {
  return { ...place, path: `${place.path}/${token}`, depth: place.depth + 1 };
}

function attributesOf(json: Json, known: readonly string[]): Attributes {
  const entries = Object.entries(json).filter(([key]) => !known.includes(key));
  return Object.fromEntries(entries);
}

function listOfNames(value: unknown, path: string, presence?: "required"): readonly string[] {
  if (value === undefined && presence === undefined) return [];
  if (!Array.isArray(value)) throw new SchemaError(path, `${show(value)} is not a list of names`);
  for (const name of value as readonly unknown[]) {
    if (typeof name !== "string" || !namePattern.test(name)) {
      throw new SchemaError(path, `${show(name)} is not a name`);
    }
  }
  return value as readonly string[];
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
