import { FatalError } from "../../../engine/errors.ts";
import type { SchemaRegistry } from "../../../engine/ports/schema-registry.ts";
import {
  frameBytes,
  makeEncoder,
  makeResolver,
  parseSchema,
  schemaIdOf,
  type Encoder,
  type Resolver,
} from "../../../schemas/avro/index.ts";

/** When and where a row was found to be gone. */
export interface Moment {
  readonly lsn: number;
  readonly transactionId: number | undefined;
  /** Microseconds since 1970 (UTC). */
  readonly timeUs: number;
}

/** As much of an envelope as is changed here; its other fields stay as they were. */
interface Told {
  readonly after: unknown;
  readonly op: string;
  readonly source: Readonly<Record<string, unknown>>;
}

interface Codec {
  readonly resolver: Resolver<Told>;
  readonly encoder: Encoder;
}

/** Makes the delete of a row out of the last that was told of it, in the schema of that record. */
export class Removals {
  readonly #registry: SchemaRegistry;
  readonly #codecs = new Map<number, Codec>();

  constructor(registry: SchemaRegistry) {
    this.#registry = registry;
  }

  /** The value of the delete; undefined where the last told was one already. */
  async of(value: Buffer, at: Moment): Promise<Buffer | undefined> {
    const schemaId = schemaIdOf(value);
    if (schemaId === undefined) throw unreadable("isn't in the Confluent wire format");
    const { resolver, encoder } = await this.#codec(schemaId);
    const told = resolver.decode(value, frameBytes);
    if (told.op === "d") return undefined;
    const timeMs = Math.floor(at.timeUs / 1000);
    const times = { ts_ms: timeMs, ts_us: at.timeUs, ts_ns: BigInt(at.timeUs) * 1000n };
    const source = {
      ...told.source,
      ...times,
      snapshot: "true",
      sequence: `[null,"${at.lsn}"]`,
      txId: at.transactionId ?? null,
      lsn: at.lsn,
      origin: null,
      origin_lsn: null,
    };
    const gone = { before: told.after, after: null, source, transaction: null, op: "d" };
    return encoder.encode({ ...told, ...gone, ...times }, { schemaId });
  }

  async #codec(schemaId: number): Promise<Codec> {
    const known = this.#codecs.get(schemaId);
    if (known) return known;
    const text = await this.#registry.schemaById(schemaId);
    if (text === undefined) throw unreadable(`has the schema ${schemaId}, which isn't registered`);
    const schema = parseSchema(text);
    const codec = {
      resolver: makeResolver<Told>(schema, schema, { longs: "bigint" }),
      encoder: makeEncoder(schema),
    };
    this.#codecs.set(schemaId, codec);
    return codec;
  }
}

function unreadable(how: string): FatalError {
  return new FatalError(
    "log-differs",
    `A record in a captured table's topic ${how}, so the row that it tells of can't be removed.`,
    "Find what else writes to the topic, and begin a new log.",
  );
}
