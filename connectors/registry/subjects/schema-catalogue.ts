import type { RegistryStore, StoredSchema } from "../../../engine/ports/registry-store.ts";
import type {
  Deleted,
  SchemaById,
  SchemaCatalogue,
  SubjectFilter,
  SubjectSchema,
} from "../../../engine/ports/subject-registry.ts";
import { isMeant, subjectSchema } from "./look-up.ts";
import { parseStored } from "./parsed-schema.ts";
import { refusals } from "./refusals.ts";
import { defaultContext, selectionOf, subjectName } from "./subject-name.ts";

/** Schemas by id, on any store. */
export class StoredSchemas implements SchemaCatalogue {
  readonly #store: RegistryStore;

  constructor(store: RegistryStore) {
    this.#store = store;
  }

  async byId(id: number, subject = ""): Promise<SchemaById> {
    const context = await this.#contextOf(id, subject);
    const stored = context === undefined ? undefined : await this.#store.schema(context, id);
    if (context === undefined || stored === undefined) throw refusals.schemaUnknown(id);
    const { schema, references } = stored;
    return { schema, references, resolved: await this.#resolved(stored, context) };
  }

  async uses(id: number, deleted: Deleted, subject = ""): Promise<readonly SubjectSchema[]> {
    const context = await this.#contextOf(id, subject);
    if (context === undefined) throw refusals.schemaUnknown(id);
    const versions = await this.#store.versionsWith(context, id);
    return versions.filter((version) => isMeant(version, deleted)).map(subjectSchema);
  }

  async list(
    { prefix, deleted }: SubjectFilter,
    which: "all" | "latest",
  ): Promise<readonly SubjectSchema[]> {
    const selected = await this.#store.select(selectionOf(prefix));
    const meant = selected.filter((version) => isMeant(version, deleted)).map(subjectSchema);
    if (which === "all") return meant;
    return [...new Map(meant.map((version) => [version.subject, version])).values()];
  }

  maxId(subject = ""): Promise<number> {
    return this.#store.lastId(subjectName(subject).context);
  }

  contexts(): Promise<readonly string[]> {
    return this.#store.contexts();
  }

  /**
   * Where an id is known. A subject of the default context that doesn't have it may be one of
   * another context, as Confluent resolves it: clients know only the plain name.
   */
  async #contextOf(id: number, subject: string): Promise<string | undefined> {
    if (id < 1 || id >= 2 ** 31) return undefined;
    const name = subjectName(subject);
    // Records carry the ids of framing schemas: those are told even where no subject has them.
    if ((await this.#store.schema(name.context, id))?.framing === true) return name.context;
    const uses = await this.#store.versionsWith(name.context, id);
    if (name.subject === "" || name.context !== defaultContext) {
      return uses.length > 0 ? name.context : undefined;
    }
    if (uses.some((version) => version.name.subject === name.subject)) return name.context;
    for (const context of await this.#store.contexts()) {
      const elsewhere = await this.#store.versionsWith(context, id);
      if (elsewhere.some((version) => version.name.subject === name.subject)) return context;
    }
    return uses.length > 0 ? name.context : undefined;
  }

  async #resolved(stored: StoredSchema, context: string): Promise<string> {
    if (stored.references.length === 0) return stored.schema;
    return (await parseStored(this.#store, stored, { context, subject: "" })).resolved;
  }
}
