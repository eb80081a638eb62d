import { incompatibilities, type Incompatibility } from "./compatibility.ts";
import type { Schema } from "./schema.ts";

/** Which earlier schemas a new one is held against, and in which direction. */
export const compatibilityLevels = [
  "NONE",
  "BACKWARD",
  "BACKWARD_TRANSITIVE",
  "FORWARD",
  "FORWARD_TRANSITIVE",
  "FULL",
  "FULL_TRANSITIVE",
] as const;

export type CompatibilityLevel = (typeof compatibilityLevels)[number];

export interface EarlierSchema {
  readonly version: number;
  readonly schema: Schema;
}

export interface VersionIncompatibility extends Incompatibility {
  /** Of the earlier schema. */
  readonly version: number;
}

/**
 * What stands against a new schema under a level. BACKWARD: the new reads the latest's data;
 * FORWARD: the latest reads the new's; FULL: both; transitive: with every earlier one in place of
 * the latest.
 *
 * @param earlier In rising order of version.
 */
export function againstLevel(
  level: CompatibilityLevel,
  candidate: Schema,
  earlier: readonly EarlierSchema[],
): readonly VersionIncompatibility[] {
  const compared = level.endsWith("_TRANSITIVE") ? earlier.toReversed() : earlier.slice(-1);
  const backward = level.startsWith("BACKWARD") || level.startsWith("FULL");
  const forward = level.startsWith("FORWARD") || level.startsWith("FULL");
  return compared.flatMap(({ version, schema }) => [
    ...(backward ? incompatibilities(candidate, schema) : []).map((one) => ({ ...one, version })),
    ...(forward ? incompatibilities(schema, candidate) : []).map((one) => ({ ...one, version })),
  ]);
}
