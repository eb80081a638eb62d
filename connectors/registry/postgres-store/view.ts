import type {
  RegistrySettings,
  RegistryView,
  StoredSchema,
  StoredSubject,
  StoredVersion,
  SubjectName,
  SubjectSelection,
} from "../../../engine/ports/registry-store.ts";
import type { CompatibilityLevel } from "../../../engine/ports/schema-registry.ts";
import type { RegistryMode, SchemaReference } from "../../../engine/ports/subject-registry.ts";
import type { Database } from "./database.ts";
import { distinctNames, GatheredReads, subjectKey } from "./gathered-reads.ts";

interface VersionRow {
  readonly context: string;
  readonly subject: string;
  readonly version: number;
  readonly id: number;
  readonly schema: string;
  readonly references: readonly SchemaReference[];
  readonly fingerprint: Buffer;
  readonly framing: boolean;
  readonly deleted: boolean;
}

interface SettingsRow extends SubjectName {
  readonly compatibility: CompatibilityLevel | null;
  readonly mode: RegistryMode | null;
  readonly normalize: boolean | null;
}

const versionColumns = `
  v.context, v.subject, v.version, s.id, s.schema, s.schema_references as references, s.fingerprint,
  s.framing, v.deleted_at is not null as deleted
  from refold.registry_versions v
  join refold.registry_schemas s on s.context = v.context and s.id = v.schema_id`;

/** Bytes in order, whatever the database's locale is. */
const inOrder = `order by v.context collate "C", v.subject collate "C", v.version`;

const asked =
  "select context, subject from unnest($1::text[], $2::text[]) as asked (context, subject)";

const settingsOf = ({ compatibility, mode, normalize }: SettingsRow): RegistrySettings =>
  Object.fromEntries(
    Object.entries({ compatibility, mode, normalize }).filter(([, value]) => value !== null),
  );

/** The tables `refold.registry_*`, read. */
export class PostgresRegistryView implements RegistryView {
  protected readonly database: Database;
  readonly #versionsOf = new GatheredReads((names) => this.#versionsOfAll(names));
  readonly #settings = new GatheredReads((names) => this.#settingsOfAll(names));

  constructor(database: Database) {
    this.database = database;
  }

  async contexts(): Promise<readonly string[]> {
    const rows = await this.database.rows<{ context: string }>(
      `select context from refold.registry_contexts order by context collate "C"`,
      [],
    );
    return rows.map((row) => row.context);
  }

  async schema(context: string, id: number): Promise<StoredSchema | undefined> {
    const [row] = await this.database.rows<StoredSchema>(
      `select id, schema, schema_references as references, fingerprint, framing
       from refold.registry_schemas where context = $1 and id = $2`,
      [context, id],
    );
    return row;
  }

  async lastId(context: string): Promise<number> {
    const [row] = await this.database.rows<{ last_id: number }>(
      "select last_id from refold.registry_contexts where context = $1",
      [context],
    );
    return row?.last_id ?? 0;
  }

  async idOf(context: string, fingerprint: Buffer): Promise<number | undefined> {
    const [row] = await this.database.rows<{ id: number }>(
      `select id from refold.registry_schemas where context = $1 and fingerprint = $2
       order by id limit 1`,
      [context, fingerprint],
    );
    return row?.id;
  }

  versionsOf(name: SubjectName): Promise<readonly StoredVersion[]> {
    return this.#versionsOf.of(name);
  }

  versionsWith(context: string, id: number): Promise<readonly StoredVersion[]> {
    return this.#versions("v.context = $1 and v.schema_id = $2", [context, id]);
  }

  async subjects({ context, prefix }: SubjectSelection): Promise<readonly StoredSubject[]> {
    const rows = await this.database.rows<SubjectName & { readonly deleted: boolean }>(
      `select context, subject, bool_and(deleted_at is not null) as deleted
       from refold.registry_versions
       where ($1::text is null or context = $1) and starts_with(subject, $2)
       group by context, subject order by context collate "C", subject collate "C"`,
      [context ?? null, prefix],
    );
    return rows.map(({ deleted, ...name }) => ({ name, deleted }));
  }

  select({ context, prefix }: SubjectSelection): Promise<readonly StoredVersion[]> {
    return this.#versions("($1::text is null or v.context = $1) and starts_with(v.subject, $2)", [
      context ?? null,
      prefix,
    ]);
  }

  referrers(subject: string, version: number): Promise<readonly StoredVersion[]> {
    return this.#versions("v.deleted_at is null and s.schema_references @> $1", [
      JSON.stringify([{ subject, version }]),
    ]);
  }

  settings(name: SubjectName): Promise<RegistrySettings> {
    return this.#settings.of(name);
  }

  async #versionsOfAll(names: readonly SubjectName[]) {
    const versions = await this.#versions(`(v.context, v.subject) in (${asked})`, [
      ...distinctNames(names),
    ]);
    const bySubject = Map.groupBy(versions, ({ name }) => subjectKey(name));
    return (name: SubjectName): readonly StoredVersion[] => bySubject.get(subjectKey(name)) ?? [];
  }

  async #settingsOfAll(names: readonly SubjectName[]) {
    const rows = await this.database.rows<SettingsRow>(
      `select context, subject, compatibility, mode, normalize from refold.registry_settings
       where (context, subject) in (${asked})`,
      [...distinctNames(names)],
    );
    const bySubject = new Map(rows.map((row) => [subjectKey(row), settingsOf(row)]));
    return (name: SubjectName): RegistrySettings => bySubject.get(subjectKey(name)) ?? {};
  }

  async #versions(
    condition: string,
    values: readonly unknown[],
  ): Promise<readonly StoredVersion[]> {
    const rows = await this.database.rows<VersionRow>(
      `select ${versionColumns} where ${condition} ${inOrder}`,
      values,
    );
    return rows.map(({ context, subject, ...version }) => ({
      ...version,
      name: { context, subject },
    }));
  }
}
