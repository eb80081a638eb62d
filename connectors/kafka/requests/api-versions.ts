import type { KafkaRequest } from "../wire/request.ts";

export interface ApiVersions {
  readonly errorCode: number;
  readonly versions: readonly ApiRange[];
}

export interface ApiRange {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** Which requests the broker takes, in which versions. */
export const apiVersions: KafkaRequest<ApiVersions> = {
  name: "ApiVersions",
  apiKey: 18,
  apiVersion: 0,
  flexible: false,
  encode: () => undefined,
  decode: (reader) => ({
    errorCode: reader.int16(),
    versions: reader.array(() => ({
      apiKey: reader.int16(),
      minVersion: reader.int16(),
      maxVersion: reader.int16(),
    })),
  }),
};
