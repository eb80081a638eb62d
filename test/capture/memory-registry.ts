import { crc32 } from "node:zlib";

import type {
  CompatibilityLevel,
  RegisteredSchema,
  SchemaRegistry,
} from "../../engine/ports/schema-registry.ts";

/**
 * Gives ids to schemas and checks nothing: what a capture needs of a registry. An id is made of its
 * schema, so that processes which share no registry agree on it.
 */
export class ListedSchemas implements SchemaRegistry {
  readonly schemas: RegisteredSchema[] = [];
  readonly #levels = new Map<string, CompatibilityLevel>();

  identity(): Promise<string> {
    return Promise.resolve("listed");
  }

  register(subject: string, schema: string): Promise<RegisteredSchema> {
    const known = this.schemas.find((one) => one.subject === subject && one.schema === schema);
    if (known) return Promise.resolve(known);
    const id = crc32(schema) >>> 1;
    const version = this.schemas.filter((one) => one.subject === subject).length + 1;
    const added = { id, subject, version, schema };
    this.schemas.push(added);
    return Promise.resolve(added);
  }

  schemaById(id: number): Promise<string | undefined> {
    return Promise.resolve(this.schemas.find((one) => one.id === id)?.schema);
  }

  versions(subject: string): Promise<readonly RegisteredSchema[]> {
    return Promise.resolve(this.schemas.filter((one) => one.subject === subject));
  }

  subjects(): Promise<readonly string[]> {
    return Promise.resolve([...new Set(this.schemas.map((one) => one.subject))]);
  }

  check(): Promise<readonly []> {
    return Promise.resolve([]);
  }

  compatibility(subject = ""): Promise<CompatibilityLevel> {
    return Promise.resolve(this.#levels.get(subject) ?? "BACKWARD");
  }

  setCompatibility(level: CompatibilityLevel, subject = ""): Promise<void> {
    this.#levels.set(subject, level);
    return Promise.resolve();
  }
}
