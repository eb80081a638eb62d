import {
  anything,
  type Arbitrary,
  array,
  boolean,
  constant,
  constantFrom,
  integer,
  jsonValue,
  oneof,
  record,
  string,
  stringMatching,
} from "fast-check";

/** The part of JSON Schema that the API's document uses. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** Values that names in the store of the tests have, so that valid requests find something. */
const known = constantFrom("MA101", "ada", "bob", "r-1", "p-1");

/** What parsers, databases and texts trip over. */
const wildTexts = constantFrom(
  "",
  "\u0000",
  "\ud800",
  "\uffff",
  "__proto__",
  "../../etc/passwd",
  "%2e%2e%2f",
  "' or 1=1 --",
  "1e999",
  "9".repeat(400),
  "😀".repeat(60),
  "x".repeat(3_000),
);

const wild: Arbitrary<unknown> = oneof(
  wildTexts,
  jsonValue(),
  anything({ maxDepth: 1 }),
  integer(),
);

/** Values that fit the schema, as far as JSON Schema says it. */
export function fitting(schema: Schema): Arbitrary<unknown> {
  const { enum: values, anyOf, oneOf } = schema;
  if (values !== undefined) return constantFrom(...values);
  if ("const" in schema) return constant(schema.const);
  const choices = anyOf ?? oneOf;
  if (choices !== undefined) return oneof(...choices.map(fitting));
  const types = [schema.type ?? []].flat();
  return types.length === 0 ? jsonValue() : oneof(...types.map((type) => ofType(type, schema)));
}

function ofType(type: string, schema: Schema): Arbitrary<unknown> {
  switch (type) {
    case "string":
      return textOf(schema);
    case "integer":
    case "number":
      return integer({ min: schema.minimum ?? -9, max: schema.maximum ?? 1_000 });
    case "boolean":
      return boolean();
    case "null":
      return constant(null);
    case "array": {
      const { minItems: minLength = 0, maxItems: maxLength = 5 } = schema;
      return array(fitting(schema.items ?? {}), { minLength, maxLength: Math.min(maxLength, 8) });
    }
    default:
      return objectOf(schema);
  }
}

function textOf({ pattern, format, minLength = 0, maxLength = 40 }: Schema): Arbitrary<string> {
  if (format === "date-time") return constantFrom("2026-09-01T08:00:00Z", "2026-09-01T08:00:00.5Z");
  if (pattern !== undefined) return stringMatching(new RegExp(pattern));
  return oneof(known, string({ minLength, maxLength: Math.min(maxLength, 60) }));
}

function objectOf({ properties = {}, required = [] }: Schema): Arbitrary<object> {
  const members = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, fitting(schema)]),
  );
  return record(members, { requiredKeys: required.filter((name) => name in members) });
}

/** Fits but for one thing: a member is missing, too many, or of another kind. */
export function nearlyFitting(schema: Schema): Arbitrary<unknown> {
  const names = Object.keys(schema.properties ?? {});
  if (names.length === 0) return wild;
  return record({
    whole: fitting(schema),
    name: constantFrom(...names, "extra", "constructor"),
    value: wild,
    how: constantFrom("changed", "taken away"),
  }).map(({ whole, name, value, how }) => {
    const changed = { ...(whole as object), [name]: value } as Record<string, unknown>;
    if (how === "taken away") delete changed[name];
    return changed;
  });
}

export { wild };
