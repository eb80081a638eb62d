import type { KafkaRequest } from "../wire/request.ts";

export interface ProducerIdentity {
  readonly errorCode: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** A producer id for appending each batch once; without transactions. */
export const initProducerId: KafkaRequest<ProducerIdentity> = {
  name: "InitProducerId",
  apiKey: 22,
  apiVersion: 1,
  flexible: false,
  encode: (writer) => {
    writer.string(null).int32(60_000);
  },
  decode: (reader) => {
    reader.int32();
    return {
      errorCode: reader.int16(),
      producerId: reader.bigInt64(),
      producerEpoch: reader.int16(),
    };
  },
};
