import { createHash } from "node:crypto";

import { FatalError } from "../../engine/errors.ts";
import type {
  CompatibilityLevel,
  Incompatibility,
  RegisteredSchema,
  SchemaRules,
} from "../../engine/ports/schema-registry.ts";
import {
  againstLevel,
  parseSchema,
  SchemaError,
  schemaText,
  type Schema,
} from "../../schemas/avro/index.ts";

/** A longer schema is refused. */
const schemaCharactersMax = 1_000_000;

/** Avro's rules for a registry: when two schemas are the same one, and what a level asks for. */
export const avroRules: SchemaRules = {
  identityOf: (schema) => textOf(parsed(schema)),
  against: (level, schema, earlier) => incompatibleWith(level, schema, earlier),
};

/** Of a schema's identity, for an index. */
export function schemaFingerprint(identity: string): Buffer {
  return createHash("sha256").update(identity).digest();
}

function incompatibleWith(
  level: CompatibilityLevel,
  schema: string,
  earlier: readonly RegisteredSchema[],
): readonly Incompatibility[] {
  const versions = earlier.map((one) => ({ version: one.version, schema: parsed(one.schema) }));
  return againstLevel(level, parsed(schema), versions);
}

function textOf(schema: Schema): string {
  try {
    return schemaText(schema);
  } catch (cause) {
    throw invalid("it is nested too deeply", cause);
  }
}

function parsed(schema: string): Schema {
  if (schema.length > schemaCharactersMax) {
    throw invalid(
      `it has ${schema.length} characters, and at most ${schemaCharactersMax} are taken`,
    );
  }
  try {
    return parseSchema(schema);
  } catch (cause) {
    if (!(cause instanceof SchemaError)) throw cause;
    throw new FatalError("schema-invalid", `${cause.message}.`, "Correct the schema.", { cause });
  }
}

function invalid(what: string, cause?: unknown): FatalError {
  const message = `The schema can't be used: ${what}.`;
  return new FatalError("schema-invalid", message, "Correct the schema.", { cause });
}
