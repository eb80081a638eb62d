/** The schema registry, its storage in Postgres, and the codec on any registry. */
export { avroCodec, type AvroCodecOptions } from "./avro-codec.ts";
export { changeEnvelope } from "./change-envelope.ts";
export {
  changeSubjects,
  registerChangeSchemas,
  type ChangeSchemaIds,
  type ChangeSchemas,
} from "./change-schemas.ts";
export { ConfluentRegistry } from "./confluent/confluent-registry.ts";
export type { RegistryClientOptions } from "./confluent/registry-client.ts";
export { migrations } from "./migrations.ts";
export {
  PostgresRegistryStore,
  type PostgresRegistryStoreOptions,
} from "./postgres-store/postgres-registry-store.ts";
export { StoredSchemaRegistry, type StoredSchemaRegistryOptions } from "./stored-registry.ts";
export { subjectRegistry } from "./subjects/subject-registry.ts";
