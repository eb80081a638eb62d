import type { RecordSchema, RecordType } from "../event-type.ts";
import { SchemaError } from "./errors.ts";
import type { Infer } from "./infer.ts";
import { parseSchema } from "./parse-schema.ts";

/**
 * An event type from an inline schema; its TypeScript type is inferred.
 *
 * @throws SchemaError
 */
export function defineEvent<const S extends RecordSchema>(
  schema: S,
): RecordType<S["name"], Infer<S>> {
  const parsed = parseSchema(schema);
  if (parsed.kind !== "record" || parsed.shortName !== schema.name) {
    throw new SchemaError("/name", "give an event's namespace in a property of its own");
  }
  return { name: schema.name, fullName: parsed.fullName, schema };
}
