import { FatalError } from "../errors.ts";
import {
  incompatibleMessage,
  type CompatibilityLevel,
  type Incompatibility,
  type RegisteredSchema,
  type SchemaRegistry,
  type SchemaRules,
} from "../ports/schema-registry.ts";

export interface MemorySchemaRegistryOptions {
  readonly rules: SchemaRules;
  /** Names the registry. */
  readonly identity?: string;
}

/** The reference adapter: a registry in the memory of one process. */
export class MemorySchemaRegistry implements SchemaRegistry {
  readonly #rules: SchemaRules;
  readonly #identity: string;
  /** Ids are places in this list, counted from 1. */
  readonly #schemas: { readonly identity: string; readonly schema: string }[] = [];
  readonly #subjects = new Map<string, RegisteredSchema[]>();
  readonly #levels = new Map<string, CompatibilityLevel>();
  #level: CompatibilityLevel = "BACKWARD";

  constructor(options: MemorySchemaRegistryOptions) {
    this.#rules = options.rules;
    this.#identity = options.identity ?? "memory";
  }

  async identity(): Promise<string> {
    return this.#identity;
  }

  async register(subject: string, schema: string): Promise<RegisteredSchema> {
    const identity = this.#rules.identityOf(schema);
    const versions = this.#subjects.get(subject) ?? [];
    const known = versions.find((one) => this.#schemas[one.id - 1]?.identity === identity);
    if (known !== undefined) return known;
    // No await from here on: two registrations at once would each miss the other.
    const level = this.#levelOf(subject);
    const found = this.#rules.against(level, schema, versions);
    if (found.length > 0) {
      const message = incompatibleMessage(subject, level, found);
      throw new FatalError(
        "schema-incompatible",
        message,
        "Change the schema to keep the promise.",
      );
    }
    const id = this.#idOf(identity, schema);
    const version = versions.length + 1;
    const registered = { id, subject, version, schema: this.#schemas[id - 1]?.schema ?? schema };
    this.#subjects.set(subject, [...versions, registered]);
    return registered;
  }

  async schemaById(id: number): Promise<string | undefined> {
    return this.#schemas[id - 1]?.schema;
  }

  async versions(subject: string): Promise<readonly RegisteredSchema[]> {
    return this.#subjects.get(subject) ?? [];
  }

  async subjects(): Promise<readonly string[]> {
    return [...this.#subjects.keys()].sort();
  }

  async check(subject: string, schema: string): Promise<readonly Incompatibility[]> {
    const identity = this.#rules.identityOf(schema);
    const earlier = this.#subjects.get(subject) ?? [];
    if (earlier.some((one) => this.#schemas[one.id - 1]?.identity === identity)) return [];
    return this.#rules.against(this.#levelOf(subject), schema, earlier);
  }

  async compatibility(subject?: string): Promise<CompatibilityLevel> {
    return this.#levelOf(subject);
  }

  async setCompatibility(level: CompatibilityLevel, subject?: string): Promise<void> {
    if (subject === undefined) this.#level = level;
    else this.#levels.set(subject, level);
  }

  #levelOf(subject: string | undefined): CompatibilityLevel {
    return (subject === undefined ? undefined : this.#levels.get(subject)) ?? this.#level;
  }

  #idOf(identity: string, schema: string): number {
    const index = this.#schemas.findIndex((one) => one.identity === identity);
    return index >= 0 ? index + 1 : this.#schemas.push({ identity, schema });
  }
}
