/**
 * An Avro record type with the TypeScript type that it decodes to. Plain data; it has the shape
 * that the engine takes as an event type.
 */
export interface RecordType<Name extends string = string, Value = unknown> {
  /** The short name: `ModuleOffered`. */
  readonly name: Name;
  /** With namespace: `refold.modules.ModuleOffered`. */
  readonly fullName: string;
  /** The parsed Avro schema. */
  readonly schema: RecordSchema;
  /** Never set: carries the type. */
  readonly _event?: Value;
}

export interface RecordSchema {
  readonly type: "record";
  readonly name: string;
  readonly namespace?: string;
  readonly doc?: string;
  readonly aliases?: readonly string[];
  readonly fields: readonly {
    readonly name: string;
    readonly type: unknown;
    readonly default?: unknown;
    readonly doc?: string;
    readonly aliases?: readonly string[];
  }[];
}
