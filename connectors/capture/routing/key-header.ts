import type { RecordHeader } from "../../../engine/ports/record-log.ts";
import type { Tuple } from "../pgoutput/tuple.ts";
import { AvroWriter } from "../avro-writer.ts";
import { writeKey, type CodedTable } from "../tables/table-codec.ts";
import type { AvroType } from "../types/converter.ts";
import { connectText } from "./connect-text.ts";

/** Headers that carry a row's key as JSON text, as Connect writes a struct in a header. */
export class KeyHeaders {
  readonly #table: CodedTable;
  readonly #schema: string;
  readonly #writer = new AvroWriter(4_096);
  #type: AvroType | undefined;

  /** @param schema The key's Avro schema as text; undefined where the table has no key. */
  constructor(table: CodedTable, schema: string | undefined) {
    this.#table = table;
    this.#schema = schema ?? '"null"';
  }

  of(name: string, row: Tuple): RecordHeader {
    this.#type ??= JSON.parse(this.#schema) as AvroType;
    writeKey(this.#writer, this.#table, row);
    const text = connectText(this.#type, this.#writer.finish(), "header");
    return { name, value: text === null ? null : Buffer.from(text, "utf8") };
  }
}
