import type { SchemaRegistry } from "../../engine/ports/schema-registry.ts";

export interface ChangeSchemas {
  readonly topic: string;
  /** JSON text; undefined where the table has no key. */
  readonly key: string | undefined;
  /** JSON text of the envelope's schema. */
  readonly value: string;
}

export interface ChangeSchemaIds {
  readonly key: number | undefined;
  readonly value: number;
}

/** The subjects of a change topic: `<topic>-key`, `<topic>-value`. */
export function changeSubjects(topic: string): { readonly key: string; readonly value: string } {
  return { key: `${topic}-key`, value: `${topic}-value` };
}

/**
 * Registers the schemas of a captured table and gives their ids. Its subjects promise nothing
 * (NONE): a changed table must not stop its capture.
 *
 * @throws TransientError when the registry can't be asked.
 */
export async function registerChangeSchemas(
  registry: SchemaRegistry,
  schemas: ChangeSchemas,
): Promise<ChangeSchemaIds> {
  const subjects = changeSubjects(schemas.topic);
  const register = async (subject: string, schema: string): Promise<number> => {
    if ((await registry.compatibility(subject)) !== "NONE") {
      await registry.setCompatibility("NONE", subject);
    }
    return (await registry.register(subject, schema)).id;
  };
  const key = schemas.key === undefined ? undefined : await register(subjects.key, schemas.key);
  return { key, value: await register(subjects.value, schemas.value) };
}
