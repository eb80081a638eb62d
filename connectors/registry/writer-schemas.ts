import { RecordError } from "../../engine/errors.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { SchemaRegistry } from "../../engine/ports/schema-registry.ts";
import { parseSchema, SchemaError, type Schema } from "../../schemas/avro/index.ts";

export interface WriterSchemasOptions {
  readonly registry: Pick<SchemaRegistry, "schemaById">;
  /** Parsed schemas that are kept; the oldest go first. */
  readonly schemasMax?: number;
  /** Ids that are remembered as unknown, so that bad records don't become a storm of questions. */
  readonly unknownIdsMax?: number;
  /** How long an id counts as unknown before the registry is asked again. */
  readonly unknownIdMs?: number;
  readonly clock?: Pick<Clock, "monotonicMs">;
}

/** Writers' schemas by id, asked for once; many that want the same one wait for one answer. */
export class WriterSchemas {
  readonly #registry: Pick<SchemaRegistry, "schemaById">;
  readonly #schemasMax: number;
  readonly #unknownIdsMax: number;
  readonly #unknownIdMs: number;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #known = new Map<number, Schema>();
  /** When each id was found to be unknown. */
  readonly #unknown = new Map<number, number>();
  readonly #asked = new Map<number, Promise<Schema>>();

  constructor(options: WriterSchemasOptions) {
    this.#registry = options.registry;
    this.#schemasMax = options.schemasMax ?? 10_000;
    this.#unknownIdsMax = options.unknownIdsMax ?? 10_000;
    this.#unknownIdMs = options.unknownIdMs ?? 5_000;
    this.#clock = options.clock ?? { monotonicMs: () => performance.now() };
  }

  /**
   * @throws TransientError when the registry can't be asked.
   * @throws RecordError `schema-unknown`, `schema-incompatible` (it is no Avro schema).
   */
  async byId(id: number): Promise<Schema> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const unknownSince = this.#unknown.get(id);
    if (unknownSince !== undefined) {
      if (this.#clock.monotonicMs() - unknownSince < this.#unknownIdMs) throw unknownId(id);
      this.#unknown.delete(id);
    }
    const asked = this.#asked.get(id) ?? this.#ask(id);
    this.#asked.set(id, asked);
    try {
      return await asked;
    } finally {
      this.#asked.delete(id);
    }
  }

  async #ask(id: number): Promise<Schema> {
    const text = await this.#registry.schemaById(id);
    if (text === undefined) {
      remember(this.#unknown, { key: id, value: this.#clock.monotonicMs() }, this.#unknownIdsMax);
      throw unknownId(id);
    }
    const schema = parsed(id, text);
    remember(this.#known, { key: id, value: schema }, this.#schemasMax);
    return schema;
  }
}

function parsed(id: number, text: string): Schema {
  try {
    return parseSchema(text);
  } catch (cause) {
    if (!(cause instanceof SchemaError)) throw cause;
    const message = `The registry's schema ${id} can't be used. ${cause.message}.`;
    throw new RecordError("schema-incompatible", message, { cause });
  }
}

function unknownId(id: number): RecordError {
  return new RecordError(
    "schema-unknown",
    `The registry has no schema with the id ${id}: the record was framed by another registry, or ` +
      "its schema was deleted. Register the schema under this id, then redrive the record.",
  );
}

/** A map keeps its keys in the order in which they came. */
function remember<Value>(
  map: Map<number, Value>,
  entry: { readonly key: number; readonly value: Value },
  max: number,
): void {
  map.set(entry.key, entry.value);
  const [oldest] = map.keys();
  if (map.size > max && oldest !== undefined) map.delete(oldest);
}
