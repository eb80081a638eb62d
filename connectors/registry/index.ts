/** Schema registry on Postgres, and the codec on any registry. */
export { avroCodec, type AvroCodecOptions } from "./avro-codec.ts";
export {
  changeSubjects,
  registerChangeSchemas,
  type ChangeSchemaIds,
  type ChangeSchemas,
} from "./change-schemas.ts";
export { migrations } from "./migrations.ts";
export { PostgresSchemaRegistry, type PostgresSchemaRegistryOptions } from "./postgres-registry.ts";
export { avroRules } from "./schema-rules.ts";
