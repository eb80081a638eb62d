import type { AvroType } from "../types/converter.ts";
import type { CodedColumn } from "./coded-table.ts";
import { fieldName } from "./names.ts";
import type { NameAdjustment } from "./selection.ts";

/** Makes the fields of one record or envelope: a named type is defined in the first that has it. */
export class FieldMaker {
  readonly #names: NameAdjustment["fields"];
  readonly #defined = new Set<string>();

  constructor(names: NameAdjustment["fields"]) {
    this.#names = names;
  }

  /** The field of a column in the record `Value` or `Key`. */
  field(column: CodedColumn): object {
    const name = fieldName(column.name, this.#names);
    const type = this.#onceDefined(column.converter.schema);
    if (!column.default) {
      return column.nullable ? { name, type: ["null", type], default: null } : { name, type };
    }
    const { json } = column.default;
    const told = withDefault(type, json);
    return { name, type: column.nullable ? [told, "null"] : told, default: json };
  }

  /** Avro defines a record once; afterwards its name stands for it. */
  #onceDefined(type: AvroType): AvroType {
    if (typeof type === "string") return type;
    if (isUnion(type)) return type.map((branch) => this.#onceDefined(branch));
    if (type.type === "array") {
      return { type: "array", items: this.#onceDefined(type["items"] as AvroType) };
    }
    if (type.type !== "record") return type;
    const name = `${String(type["namespace"])}.${String(type["name"])}`;
    if (this.#defined.has(name)) return name;
    this.#defined.add(name);
    return type;
  }
}

/** The default stands before the Connect type or its name, as Connect's converter writes it. */
function withDefault(type: AvroType, json: unknown): AvroType {
  if (typeof type === "string") return { type, "connect.default": json };
  const told: [string, unknown][] = [];
  for (const [key, value] of Object.entries(type)) {
    if (key === "connect.name" || key === "connect.type") told.push(["connect.default", json]);
    told.push([key, value]);
  }
  if (!("connect.name" in type || "connect.type" in type)) told.push(["connect.default", json]);
  return Object.fromEntries(told) as unknown as AvroType;
}

function isUnion(type: AvroType): type is readonly AvroType[] {
  return Array.isArray(type);
}
