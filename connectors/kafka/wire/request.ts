import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** One request of Kafka's protocol in one version, and how its answer is read. */
export interface KafkaRequest<Answer> {
  readonly name: string;
  readonly apiKey: number;
  readonly apiVersion: number;
  /** Headers, arrays and strings in the forms of KIP-482. */
  readonly flexible: boolean;
  encode(writer: WireWriter): void;
  decode(reader: WireReader): Answer;
}
