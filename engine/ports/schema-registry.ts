export type CompatibilityLevel =
  | "NONE"
  | "BACKWARD"
  | "BACKWARD_TRANSITIVE"
  | "FORWARD"
  | "FORWARD_TRANSITIVE"
  | "FULL"
  | "FULL_TRANSITIVE";

export interface RegisteredSchema {
  /** Unique in the registry; what the wire format carries. */
  readonly id: number;
  readonly subject: string;
  /** From 1 in its subject. */
  readonly version: number;
  /** The schema as it was registered (JSON text). */
  readonly schema: string;
}

export interface Incompatibility {
  /** As Java's SchemaCompatibility names it: `READER_FIELD_MISSING_DEFAULT_VALUE`, ... */
  readonly reason: string;
  /** JSON pointer into the reader's schema. */
  readonly path: string;
  readonly message: string;
  /** The version of the subject that it clashes with, where versions are compared. */
  readonly version?: number;
}

/**
 * Schemas by subject and id. Registering the same schema (canonical text, defaults included) under
 * a subject gives the id and version it already has; the same schema under two subjects has one id.
 *
 * Failures: `FatalError` `schema-invalid`, `schema-incompatible` (its message lists the
 * incompatibilities), `schema-unknown`; `TransientError` for an outage.
 */
export interface SchemaRegistry {
  /** Names this registry; the event store remembers which one framed its events. */
  identity(): Promise<string>;
  /**
   * Its name as far as it has one: a registry whose name is kept in it may be given it only by
   * `identity`, which takes an id there. Left out: it always has one.
   */
  knownIdentity?(): Promise<string | undefined>;
  register(subject: string, schema: string): Promise<RegisteredSchema>;
  /** Schema text by id; undefined when the registry has no such id. */
  schemaById(id: number): Promise<string | undefined>;
  versions(subject: string): Promise<readonly RegisteredSchema[]>;
  subjects(): Promise<readonly string[]>;
  /** Would it be accepted? Empty when it would. */
  check(subject: string, schema: string): Promise<readonly Incompatibility[]>;
  /** The level of a subject, or the global default where it has none of its own. */
  compatibility(subject?: string): Promise<CompatibilityLevel>;
  setCompatibility(level: CompatibilityLevel, subject?: string): Promise<void>;
}

/** How a refused registration is told, by every adapter alike. */
export function incompatibleMessage(
  subject: string,
  level: CompatibilityLevel,
  found: readonly Incompatibility[],
): string {
  const faults = found.map((one) => {
    const against = one.version === undefined ? "" : ` against version ${one.version}`;
    return `${one.reason} at ${one.path} (${one.message})${against}`;
  });
  return `The schema is not ${level} compatible with subject ${subject}: ${faults.join("; ")}.`;
}
