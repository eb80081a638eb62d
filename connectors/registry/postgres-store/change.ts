import { FatalError } from "../../../engine/errors.ts";
import type {
  AddedSchema,
  RegistryChange,
  RegistrySettings,
  SubjectName,
} from "../../../engine/ports/registry-store.ts";
import { PostgresRegistryView } from "./view.ts";

/** The tables `refold.registry_*`, read and written in a transaction that holds its context. */
export class PostgresRegistryChange extends PostgresRegistryView implements RegistryChange {
  /** By context and subject: asked for many times in a registration, and set by nobody else. */
  readonly #settings = new Map<string, Promise<RegistrySettings>>();

  override settings(name: SubjectName): Promise<RegistrySettings> {
    const key = settingsKey(name);
    const known = this.#settings.get(key);
    if (known !== undefined) return known;
    const read = super.settings(name);
    this.#settings.set(key, read);
    return read;
  }

  async newId(context: string): Promise<number> {
    const [row] = await this.database.rows<{ last_id: number }>(
      `update refold.registry_contexts set last_id = last_id + 1 where context = $1
       returning last_id`,
      [context],
    );
    if (row !== undefined) return row.last_id;
    throw new FatalError(
      "registry-damaged",
      `The registry has no context ${JSON.stringify(context)}.`,
      "Restore the tables refold.registry_*.",
    );
  }

  async raiseLastId(context: string, id: number): Promise<void> {
    await this.database.rows(
      "update refold.registry_contexts set last_id = greatest(last_id, $2) where context = $1",
      [context, id],
    );
  }

  async addSchema(context: string, added: AddedSchema): Promise<void> {
    await this.database.rows(
      `insert into refold.registry_schemas (context, id, schema, schema_references, fingerprint)
       values ($1, $2, $3, $4, $5)`,
      [context, added.id, added.schema, JSON.stringify(added.references), added.fingerprint],
    );
  }

  async putVersion(name: SubjectName, added: { version: number; id: number }): Promise<void> {
    await this.database.rows(
      `insert into refold.registry_versions (context, subject, version, schema_id)
       values ($1, $2, $3, $4)
       on conflict (context, subject, version)
       do update set schema_id = excluded.schema_id, deleted_at = null`,
      [name.context, name.subject, added.version, added.id],
    );
  }

  async hide(name: SubjectName, versions: readonly number[]): Promise<void> {
    await this.database.rows(
      `update refold.registry_versions set deleted_at = now()
       where context = $1 and subject = $2 and version = any($3)`,
      [name.context, name.subject, versions],
    );
  }

  /** Two statements: one that did both would still see the versions that it deletes. */
  async remove(name: SubjectName, versions: readonly number[]): Promise<void> {
    const removed = await this.database.rows<{ schema_id: number }>(
      `delete from refold.registry_versions
       where context = $1 and subject = $2 and version = any($3) returning schema_id`,
      [name.context, name.subject, versions],
    );
    await this.database.rows(
      `delete from refold.registry_schemas s
       where s.context = $1 and s.id = any($2) and not s.framing and not exists (
         select from refold.registry_versions v where v.context = s.context and v.schema_id = s.id)`,
      [name.context, removed.map((row) => row.schema_id)],
    );
  }

  async putSettings(name: SubjectName, settings: RegistrySettings): Promise<void> {
    this.#settings.delete(settingsKey(name));
    const { compatibility = null, mode = null, normalize = null } = settings;
    if (compatibility === null && mode === null && normalize === null) {
      await this.database.rows(
        "delete from refold.registry_settings where context = $1 and subject = $2",
        [name.context, name.subject],
      );
      return;
    }
    await this.database.rows(
      `insert into refold.registry_settings (context, subject, compatibility, mode, normalize)
       values ($1, $2, $3, $4, $5)
       on conflict (context, subject) do update set compatibility = excluded.compatibility,
         mode = excluded.mode, normalize = excluded.normalize`,
      [name.context, name.subject, compatibility, mode, normalize],
    );
  }

  async markFraming(context: string, id: number): Promise<void> {
    await this.database.rows(
      "update refold.registry_schemas set framing = true where context = $1 and id = $2",
      [context, id],
    );
  }
}

const settingsKey = ({ context, subject }: SubjectName): string => `${context}\0${subject}`;
