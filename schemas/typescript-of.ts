/** What the generator understands of a schema; anything else in a .avsc file is refused by name. */
type Schema =
  | string
  | readonly Schema[]
  | {
      readonly type: string | Schema;
      readonly name?: string;
      readonly namespace?: string;
      readonly doc?: string;
      readonly fields?: readonly Field[];
      readonly symbols?: readonly string[];
      readonly items?: Schema;
      readonly values?: Schema;
    };

interface Field {
  readonly name: string;
  readonly type: Schema;
  readonly doc?: string;
}

const primitives: Readonly<Record<string, string>> = {
  null: "null",
  boolean: "boolean",
  int: "number",
  long: "number",
  float: "number",
  double: "number",
  bytes: "Buffer",
  string: "string",
};

/**
 * The TypeScript of one record: its interface, and its value with the schema.
 *
 * @param exportName What both are called: the name of the schema's file.
 */
export function typescriptOf(exportName: string, schema: Schema): string {
  if (typeof schema === "string" || !("fields" in schema)) {
    throw new TypeError(`${exportName}.avsc is not a record; a file holds one record each.`);
  }
  const fullName = schema.namespace ? `${schema.namespace}.${schema.name}` : `${schema.name}`;
  const members = (schema.fields ?? []).flatMap((field) => [
    ...(field.doc ? [`  /** ${field.doc} */`] : []),
    `  readonly ${field.name}: ${typeOf(field.type)};`,
  ]);
  return [
    ...(schema.doc ? [`/** ${schema.doc} */`] : []),
    `export interface ${exportName} {`,
    ...members,
    "}",
    "",
    `export const ${exportName}: RecordType<${JSON.stringify(schema.name)}, ${exportName}> = {`,
    `  name: ${JSON.stringify(schema.name)},`,
    `  fullName: ${JSON.stringify(fullName)},`,
    `  schema: ${indented(JSON.stringify(schema, undefined, 2))},`,
    "};",
    "",
  ].join("\n");
}

function indented(text: string): string {
  return text.replaceAll("\n", "\n  ");
}

function typeOf(schema: Schema): string {
  if (typeof schema === "string") return primitiveOf(schema);
  if (Array.isArray(schema)) return (schema as readonly Schema[]).map(typeOf).join(" | ");
  const complex = schema as Exclude<Schema, string | readonly Schema[]>;
  switch (complex.type) {
    case "record":
      return recordType(complex.fields ?? []);
    case "enum":
      return (complex.symbols ?? []).map((symbol) => JSON.stringify(symbol)).join(" | ");
    case "array":
      return `readonly (${typeOf(complex.items ?? "null")})[]`;
    case "map":
      return `Readonly<Record<string, ${typeOf(complex.values ?? "null")}>>`;
    case "fixed":
      return "Buffer";
    default:
      return typeOf(complex.type);
  }
}

function recordType(fields: readonly Field[]): string {
  return `{ ${fields.map((field) => `readonly ${field.name}: ${typeOf(field.type)}`).join("; ")} }`;
}

function primitiveOf(name: string): string {
  const type = primitives[name];
  if (type === undefined) {
    throw new TypeError(`A schema refers to ${name}; write the type out where it is used.`);
  }
  return type;
}
