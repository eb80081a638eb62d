import { FatalError } from "../../engine/errors.ts";
import type { RegistryStore, StoredVersion } from "../../engine/ports/registry-store.ts";
import {
  incompatibleMessage,
  type CompatibilityLevel,
  type Incompatibility,
  type RegisteredSchema,
  type SchemaRegistry,
} from "../../engine/ports/schema-registry.ts";
import { RegistryRefusal } from "../../engine/ports/subject-registry.ts";
import { againstLevel } from "../../schemas/avro/index.ts";
import { findVersion } from "./subjects/look-up.ts";
import { parseStored } from "./subjects/parsed-schema.ts";
import {
  earlierVersions,
  knownVersion,
  parseInScope,
  registerVersion,
  restoreFraming,
} from "./subjects/registration.ts";
import { configInScope } from "./subjects/settings-scope.ts";
import { defaultContext, everySubject, qualified, subjectName } from "./subjects/subject-name.ts";

export interface StoredSchemaRegistryOptions {
  readonly store: RegistryStore;
}

/**
 * The engine's registry on any store. What it registers frames records, so it is marked: whatever is
 * deleted afterwards, its id goes on standing for it, and it can be registered again.
 */
export class StoredSchemaRegistry implements SchemaRegistry {
  readonly #store: RegistryStore;

  constructor({ store }: StoredSchemaRegistryOptions) {
    this.#store = store;
  }

  identity(): Promise<string> {
    return this.#store.identity();
  }

  async register(subject: string, schema: string): Promise<RegisteredSchema> {
    const name = subjectName(subject);
    try {
      const known = await knownVersion(this.#store, name, { schema });
      // Most registrations are of what is there: those take no lock.
      if (known?.framing === true) return registered(known);
      const made = await this.#store.change(name.context, async (change) => {
        const version =
          (await knownVersion(change, name, { schema })) ??
          (await restoreFraming(change, name, { schema })) ??
          (await registerVersion(change, name, { schema }));
        await change.markFraming(name.context, version.id);
        return version;
      });
      return registered(made);
    } catch (error) {
      throw await this.#explained(error, { subject, schema });
    }
  }

  async schemaById(id: number): Promise<string | undefined> {
    if (!Number.isInteger(id) || id < 1 || id >= 2 ** 31) return undefined;
    const stored = await this.#store.schema(defaultContext, id);
    if (stored === undefined || stored.references.length === 0) return stored?.schema;
    return (await parseStored(this.#store, stored, everySubject)).resolved;
  }

  async versions(subject: string): Promise<readonly RegisteredSchema[]> {
    const versions = await this.#store.versionsOf(subjectName(subject));
    return versions.filter((version) => !version.deleted).map(registered);
  }

  async subjects(): Promise<readonly string[]> {
    const subjects = await this.#store.subjects({ context: defaultContext, prefix: "" });
    return subjects.filter(({ deleted }) => !deleted).map(({ name }) => qualified(name));
  }

  async check(subject: string, schema: string): Promise<readonly Incompatibility[]> {
    const name = subjectName(subject);
    try {
      const parsed = await parseInScope(this.#store, name, { schema });
      if ((await findVersion(this.#store, { name, parsed }, "left-out")) !== undefined) return [];
      const { compatibility } = await configInScope(this.#store, name);
      const versions = await earlierVersions(this.#store, await this.#store.versionsOf(name));
      const earlier = versions.map(({ version: { version }, schema: old }) => ({
        version,
        schema: old,
      }));
      return againstLevel(compatibility, parsed.schema, earlier);
    } catch (error) {
      throw explainedRefusal(error);
    }
  }

  async compatibility(subject?: string): Promise<CompatibilityLevel> {
    const name = subject === undefined ? everySubject : subjectName(subject);
    return (await configInScope(this.#store, name)).compatibility;
  }

  async setCompatibility(level: CompatibilityLevel, subject?: string): Promise<void> {
    const name = subject === undefined ? everySubject : subjectName(subject);
    await this.#store.change(name.context, async (change) => {
      const settings = await change.settings(name);
      await change.putSettings(name, { ...settings, compatibility: level });
    });
  }

  async #explained(
    error: unknown,
    { subject, schema }: { readonly subject: string; readonly schema: string },
  ): Promise<unknown> {
    if (!(error instanceof RegistryRefusal) || error.errorCode !== 409) {
      return explainedRefusal(error);
    }
    const level = await this.compatibility(subject);
    const message = incompatibleMessage(subject, level, await this.check(subject, schema));
    return new FatalError("schema-incompatible", message, "Change the schema to keep the promise.");
  }
}

function registered({ id, name, version, schema }: StoredVersion): RegisteredSchema {
  return { id, subject: qualified(name), version, schema };
}

/** What the engine's callers are told of a refusal; other errors stay as they are. */
function explainedRefusal(error: unknown): unknown {
  if (!(error instanceof RegistryRefusal)) return error;
  const { message, errorCode } = error;
  const invalid = errorCode === 42201 || errorCode === 42209;
  return invalid
    ? new FatalError("schema-invalid", `${message}.`, "Correct the schema.", { cause: error })
    : new FatalError("schema-refused", `${message}.`, "See the registry's mode and settings.", {
        cause: error,
      });
}
