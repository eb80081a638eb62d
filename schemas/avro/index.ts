/** Avro for events: schemas, codec, wire format, compatibility. Knows nothing of any domain. */
export { defaultDecodeLimits, type DecodeLimits } from "./byte-cursor.ts";
export { canonicalForm } from "./canonical-form.ts";
export {
  incompatibilities,
  isCompatible,
  type Incompatibility,
  type IncompatibilityReason,
} from "./compatibility.ts";
export type { RecordSchema, RecordType } from "../event-type.ts";
export { defineEvent } from "./define-event.ts";
export { makeEncoder, type Encoder } from "./encoder.ts";
export { DecodeError, EncodeError, ResolutionError, SchemaError } from "./errors.ts";
export { fingerprint, type FingerprintAlgorithm } from "./fingerprint.ts";
export type { Infer } from "./infer.ts";
export {
  againstLevel,
  compatibilityLevels,
  type CompatibilityLevel,
  type EarlierSchema,
  type VersionIncompatibility,
} from "./levels.ts";
export { parseSchema, type ParseOptions } from "./parse-schema.ts";
export { makeResolver, type Resolver, type ResolverOptions } from "./resolver.ts";
export { schemaText } from "./schema-text.ts";
export type { Schema } from "./schema.ts";
export { framed, frameBytes, schemaIdOf } from "./wire-format.ts";
