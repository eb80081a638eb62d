import type { StoredVersion } from "../../../engine/ports/registry-store.ts";
import type { CompatibilityLevel } from "../../../engine/ports/schema-registry.ts";
import {
  incompatibilities,
  type Incompatibility,
  type IncompatibilityReason,
  type Schema,
} from "../../../schemas/avro/index.ts";

/** An earlier version with its schema. */
export interface EarlierVersion {
  readonly version: StoredVersion;
  readonly schema: Schema;
}

/** Which of two schemas reads what the other wrote. */
type Direction = { readonly reader: "new" | "old"; readonly writer: "new" | "old" };

const forward: Direction = { reader: "old", writer: "new" };
const backward: Direction = { reader: "new", writer: "old" };

/**
 * What stands against a schema, in Confluent's words: each fault, then the version that it was
 * found with, that version's text, and the level. The latest version goes first, and the first that
 * doesn't fit is the only one that is told. Empty where nothing stands against it.
 */
export function incompatibilityTexts(
  level: CompatibilityLevel,
  candidate: Schema,
  earlier: readonly EarlierVersion[],
): readonly string[] {
  const compared = level.endsWith("_TRANSITIVE") ? earlier.toReversed() : earlier.slice(-1);
  for (const { version, schema } of compared) {
    const faults = faultsOf(level, candidate, schema);
    if (faults.length === 0) continue;
    return [
      ...faults,
      `{oldSchemaVersion: ${version.version}}`,
      `{oldSchema: '${version.schema}'}`,
      `{validateFields: 'false', compatibility: '${level}'}`,
    ];
  }
  return [];
}

function faultsOf(level: CompatibilityLevel, candidate: Schema, old: Schema): readonly string[] {
  const full = level.startsWith("FULL");
  return [
    ...(full || level.startsWith("FORWARD")
      ? told(incompatibilities(old, candidate), forward)
      : []),
    ...(full || level.startsWith("BACKWARD")
      ? told(incompatibilities(candidate, old), backward)
      : []),
  ];
}

function told(found: readonly Incompatibility[], direction: Direction): readonly string[] {
  return found.map((fault) => {
    const description = descriptions[fault.reason](fault, direction);
    return (
      `{errorType:'${fault.reason}', description:'${description}', ` +
      `additionalInfo:'${fault.message}'}`
    );
  });
}

type Describe = (fault: Incompatibility, direction: Direction) => string;

const descriptions: Readonly<Record<IncompatibilityReason, Describe>> = {
  FIXED_SIZE_MISMATCH: ({ path }, { reader, writer }) =>
    `The size of FIXED type field at path '${path}' in the ${reader} schema does not match with ` +
    `the ${writer} schema`,
  TYPE_MISMATCH: ({ path }, { reader, writer }) =>
    `The type (path '${path}') of a field in the ${reader} schema does not match with the ` +
    `${writer} schema`,
  NAME_MISMATCH: ({ path }) => `The name of the schema has changed (path '${path}')`,
  MISSING_ENUM_SYMBOLS: ({ path, message }, { reader, writer }) =>
    `The ${reader} schema is missing enum symbols '${message}' at path '${path}' in the ` +
    `${writer} schema`,
  MISSING_UNION_BRANCH: ({ path }, { reader, writer }) =>
    `The ${reader} schema is missing a type inside a union field at path '${path}' in the ` +
    `${writer} schema`,
  READER_FIELD_MISSING_DEFAULT_VALUE: ({ path, message }, { reader, writer }) =>
    `The field '${message}' at path '${path}' in the ${reader} schema has no default value and ` +
    `is missing in the ${writer} schema`,
};
