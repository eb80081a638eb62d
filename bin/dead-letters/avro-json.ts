import { EncodeError, type Schema } from "../../schemas/avro/index.ts";

/**
 * What the command line and HTTP show of a decoded value, made into what it was decoded to: bytes
 * and fixed from base64, whole numbers beyond 2^53 from decimal text, NaN and the infinities from
 * their names. Everything else is left as it is, for the encoder to judge.
 *
 * @throws EncodeError with the place in the value.
 */
export function fromShownJson(schema: Schema, json: unknown, path = ""): unknown {
  switch (schema.kind) {
    case "bytes":
    case "fixed":
      return bytesOf(json, path);
    case "long":
      return typeof json === "string" && /^-?\d{1,19}$/.test(json) ? BigInt(json) : json;
    case "float":
    case "double":
      return typeof json === "string" && notFinite.has(json) ? Number(json) : json;
    case "array":
      if (!Array.isArray(json)) return json;
      return json.map((item, at) => fromShownJson(schema.items, item, `${path}/${at}`));
    case "map":
      return eachOf(json, (item, name) => fromShownJson(schema.values, item, within(path, name)));
    case "record":
      return recordOf(schema, json, path);
    case "union":
      return branchOf(schema.branches, json, path);
    default:
      return json;
  }
}

const notFinite: ReadonlySet<string> = new Set(["NaN", "Infinity", "-Infinity"]);

const within = (path: string, name: string): string => (path === "" ? name : `${path}/${name}`);

function bytesOf(json: unknown, path: string): Buffer {
  const isBase64 = typeof json === "string" && /^[A-Za-z0-9+/]*={0,2}$/.test(json);
  if (isBase64 && json.length % 4 === 0) return Buffer.from(json, "base64");
  throw new EncodeError(path, "expected bytes in base64");
}

function eachOf(json: unknown, make: (item: unknown, name: string) => unknown): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  return Object.fromEntries(Object.entries(json).map(([name, item]) => [name, make(item, name)]));
}

/** A field that the schema lacks is a mistake that nobody would see: it would be left out. */
function recordOf(
  schema: Extract<Schema, { kind: "record" }>,
  json: unknown,
  path: string,
): unknown {
  const fields = new Map(schema.fields.map((field) => [field.name, field.type]));
  return eachOf(json, (item, name) => {
    const type = fields.get(name);
    if (type !== undefined) return fromShownJson(type, item, within(path, name));
    throw new EncodeError(within(path, name), `${schema.fullName} has no such field`);
  });
}

/** With null and one other branch there is one choice; otherwise the first that takes it. */
function branchOf(branches: readonly Schema[], json: unknown, path: string): unknown {
  if (json === null) return json;
  const others = branches.filter(({ kind }) => kind !== "null");
  const [only] = others;
  // Text is text wherever there is a branch for it.
  if (typeof json === "string" && others.length > 1 && others.some(isText)) return json;
  if (others.length === 1 && only !== undefined) return fromShownJson(only, json, path);
  for (const branch of others) {
    try {
      const made = fromShownJson(branch, json, path);
      if (made !== json || typeof json !== "object") return made;
    } catch (error) {
      if (!(error instanceof EncodeError)) throw error;
    }
  }
  return json;
}

const isText = ({ kind }: Schema): boolean => kind === "string" || kind === "enum";
