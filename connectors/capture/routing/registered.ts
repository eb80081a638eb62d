import type { SchemaRegistry } from "../../../engine/ports/schema-registry.ts";

/** Schema ids of a topic's keys and values. */
export interface TopicSchemaIds {
  readonly key: number;
  readonly value: number;
}

/**
 * Registers a topic's schemas. They change as Postgres and tables do, so their subjects refuse
 * nothing.
 */
export async function registerTopic(
  registry: SchemaRegistry,
  topic: string,
  schemas: { readonly key: string; readonly value: string },
): Promise<TopicSchemaIds> {
  return {
    key: await register(registry, `${topic}-key`, schemas.key),
    value: await register(registry, `${topic}-value`, schemas.value),
  };
}

/** Registers one schema and gives its id. */
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
