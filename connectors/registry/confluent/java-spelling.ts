type Json = Readonly<Record<string, unknown>>;

/** Attributes of a schema or a field that have a place of their own; the rest comes after them. */
const named = ["type", "name", "namespace", "doc", "aliases"] as const;
const placed = {
  record: ["fields"],
  error: ["fields"],
  enum: ["symbols", "default"],
  fixed: ["size"],
} as const;
const ofField = ["name", "type", "doc", "default", "order", "aliases"] as const;

/**
 * A schema's text as Avro's Java library writes it (`Schema.toString`): names short within their
 * namespace, primitives short, the rest of the attributes in the order in which they are given.
 * Registries that tell spellings apart then have one id for what is registered here and by a Java
 * converter.
 *
 * @param schema The JSON text of a valid schema.
 */
export function javaSpelling(schema: string): string {
  return JSON.stringify(spelt(JSON.parse(schema), ""));
}

function spelt(schema: unknown, space: string): unknown {
  if (Array.isArray(schema)) return schema.map((branch) => spelt(branch, space));
  if (typeof schema === "string") return reference(schema, space);
  const { type, ...rest } = schema as Json;
  if (typeof type !== "string") return spelt(type, space);
  switch (type) {
    case "record":
    case "error":
    case "enum":
    case "fixed":
      return definition(type, schema as Json, space);
    case "array":
      return { type, items: spelt(rest["items"], space), ...without(rest, ["items"]) };
    case "map":
      return { type, values: spelt(rest["values"], space), ...without(rest, ["values"]) };
    default:
      return Object.keys(rest).length === 0 ? reference(type, space) : { type, ...rest };
  }
}

function definition(type: keyof typeof placed, schema: Json, space: string): Json {
  const { name, space: own } = nameOf(schema, space);
  const given = schema["fields"] as readonly Json[] | undefined;
  const whole = given ? { ...schema, fields: given.map((one) => field(one, own)) } : schema;
  return {
    type,
    name,
    ...(own === space ? {} : { namespace: own }),
    ...only(whole, ["doc", ...placed[type]]),
    ...without(whole, [...named, ...placed[type]]),
    ...only(whole, ["aliases"]),
  };
}

function field(given: Json, space: string): Json {
  const whole: Json = { ...given, type: spelt(given["type"], space) };
  const { order, ...others } = whole;
  const told = order === "ascending" ? others : whole;
  return { ...only(told, ofField), ...without(told, ofField) };
}

/** A name with dots tells its namespace itself. */
function nameOf(schema: Json, space: string): { readonly name: string; readonly space: string } {
  const name = String(schema["name"]);
  const dot = name.lastIndexOf(".");
  if (dot >= 0) return { name: name.slice(dot + 1), space: name.slice(0, dot) };
  const own = schema["namespace"];
  return { name, space: typeof own === "string" ? own : space };
}

function reference(name: string, space: string): string {
  const dot = name.lastIndexOf(".");
  return dot >= 0 && name.slice(0, dot) === space ? name.slice(dot + 1) : name;
}

function only(from: Json, names: readonly string[]): Json {
  return Object.fromEntries(names.filter((name) => name in from).map((name) => [name, from[name]]));
}

function without(from: Json, names: readonly string[]): Json {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name)));
}
