import { FatalError } from "../../../engine/errors.ts";
import type { AvroWriter } from "../avro-writer.ts";

/** Avro schema as JSON. */
export type AvroType = string | readonly AvroType[] | AvroTypeObject;
export interface AvroTypeObject {
  readonly type: AvroType;
  readonly [attribute: string]: unknown;
}

/**
 * How values of one Postgres type become Avro. A value comes as Postgres' text for it, under the
 * pinned session settings, as the bytes from `start` to `end`.
 */
export interface Converter {
  readonly schema: AvroType;
  write(to: AvroWriter, bytes: Buffer, start: number, end: number): void;
  /** What stands for a column that a delete doesn't tell, where null may not. */
  writeFallback(to: AvroWriter): void;
  /** What is told in place of NULL; left out where NULL is told, or the default. */
  readonly writeNull?: (to: AvroWriter) => void;
  /** The placeholder for an unchanged value out of line; left out where the type has none. */
  readonly writeUnavailable?: (to: AvroWriter) => void;
  /**
   * A default as it stands in the Avro schema; left out where the schema tells none. undefined as
   * literal: a function computes it. undefined as result: the literal can't be told.
   */
  readonly defaultOf?: (literal: string | undefined) => AvroDefault | undefined;
}

export interface AvroDefault {
  /** As JSON in the schema. */
  readonly json: unknown;
  /** As a value: Postgres' text. */
  readonly text: string;
}

/** A type of the Connect schema library, in the order of attributes that its converter writes. */
export function connectType(type: AvroType, name: string, parameters?: object): AvroTypeObject {
  return {
    type,
    "connect.version": 1,
    ...(parameters ? { "connect.parameters": parameters } : {}),
    "connect.name": name,
  };
}

/** A value that the type's Avro schema has no room for. */
export function unrepresentable(text: string, type: string): FatalError {
  const shown = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  return new FatalError(
    "value-unsupported",
    `The value ${shown} of type ${type} can't be told in its Avro schema.`,
    "Keep such values out of captured tables by a check constraint; to get past this one, take " +
      "the table out of the capture.",
  );
}
