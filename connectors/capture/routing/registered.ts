import type { SchemaRegistry } from "../../../engine/ports/schema-registry.ts";

/** Schema ids of a topic's keys and values. */
export interface TopicSchemaIds {
  readonly key: number;
  readonly value: number;
}

/**
 * Registers a schema and gives its id. Schemas change as Postgres and tables do, so their subjects
 * refuse nothing.
 */
export async function register(
  registry: SchemaRegistry,
  subject: string,
  text: string,
): Promise<number> {
  if ((await registry.compatibility(subject)) !== "NONE") {
    await registry.setCompatibility("NONE", subject);
  }
  return (await registry.register(subject, text)).id;
}
