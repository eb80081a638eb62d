import type { Schema } from "../../schemas/avro/index.ts";
import type { WriterSchemas } from "./writer-schemas.ts";

/** Makes a decoder for data of one writer's schema. Throws RecordError `schema-incompatible`. */
export type DecoderOf<Decoder> = (writer: Schema, schemaId: number) => Decoder;

export interface LearningReaderOptions<Decoder> {
  readonly schemas: WriterSchemas;
  readonly decoderOf: DecoderOf<Decoder>;
  readonly decodersMax: number;
}

/** Decoders by writer's schema id, each made when its id is first met. */
export class LearningReader<Decoder> {
  readonly #options: LearningReaderOptions<Decoder>;
  /** In the order in which they were learnt. */
  readonly #decoders = new Map<number, Decoder>();
  /** Records come in runs of one type: the last answer is mostly the next one too. */
  #lastId = -1;
  #last: Decoder | undefined;

  constructor(options: LearningReaderOptions<Decoder>) {
    this.#options = options;
  }

  known(schemaId: number): Decoder | undefined {
    if (schemaId === this.#lastId) return this.#last;
    const decoder = this.#decoders.get(schemaId);
    if (decoder !== undefined) {
      this.#lastId = schemaId;
      this.#last = decoder;
    }
    return decoder;
  }

  async learn(schemaId: number): Promise<Decoder> {
    const writer = await this.#options.schemas.byId(schemaId);
    const known = this.#decoders.get(schemaId);
    if (known !== undefined) return known;
    const decoder = this.#options.decoderOf(writer, schemaId);
    this.#decoders.set(schemaId, decoder);
    const [oldest] = this.#decoders.keys();
    if (this.#decoders.size > this.#options.decodersMax && oldest !== undefined) {
      this.#decoders.delete(oldest);
    }
    return decoder;
  }
}
