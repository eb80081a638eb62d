import { ByteCursor, defaultDecodeLimits, type DecodeLimits } from "./byte-cursor.ts";
import { DecodeError, ResolutionError } from "./errors.ts";
import { Resolution } from "./resolution.ts";
import type { Schema } from "./schema.ts";

export interface ResolverOptions {
  readonly limits?: Partial<DecodeLimits>;
  /**
   * How longs are read. As numbers (the default), one beyond 2^53 is a `DecodeError`; a reader's
   * `{"type": "long", "longAs": "bigint"}` asks for bigints in one place.
   */
  readonly longs?: "number" | "bigint";
}

/** Reads data of one writer's schema in the shape of one reader's. */
export interface Resolver<Value = unknown> {
  /**
   * Decodes the bytes [start, end), all of them. Strings and bytes are copied out.
   *
   * @throws DecodeError
   */
  decode(bytes: Buffer, start?: number, end?: number): Value;
}

/**
 * Compiles the resolution of two schemas (specification, "Schema Resolution"). What depends on the
 * data is settled by the data: a writer's union or symbol that has no reader fails only where it
 * occurs. Unions are unwrapped: a datum is the branch's own value.
 *
 * Where several branches of a reader's union fit, an equal type goes before a promotion, and an
 * equal full name before an equal name, as in Java.
 *
 * @throws ResolutionError when no data could be read at all.
 */
export function makeResolver<Value = unknown>(
  reader: Schema,
  writer: Schema,
  options: ResolverOptions = {},
): Resolver<Value> {
  const resolved = new Resolution(options.longs ?? "number").resolve(reader, writer, "");
  if (resolved.fault !== undefined) throw new ResolutionError(resolved.fault);
  const { read } = resolved;
  const cursor = new ByteCursor({ ...defaultDecodeLimits, ...options.limits });
  return {
    decode(bytes, start = 0, end = bytes.length) {
      try {
        cursor.open(bytes, start, end);
        const value = read(cursor);
        cursor.close();
        return value as Value;
      } catch (error) {
        throw asDecodeError(error);
      }
    },
  };
}

/** Bytes nested deeper than the stack are hostile; anything else unexpected is a fault of ours. */
function asDecodeError(error: unknown): unknown {
  if (!(error instanceof RangeError)) return error;
  return new DecodeError("The data is nested too deeply.", { cause: error });
}
