import type {
  AddedSchema,
  RegistryChange,
  RegistrySettings,
  RegistryStore,
  StoredSchema,
  StoredSubject,
  StoredVersion,
  SubjectName,
  SubjectSelection,
} from "../ports/registry-store.ts";

interface SchemaRow extends StoredSchema {
  readonly context: string;
}

interface VersionRow extends SubjectName {
  readonly version: number;
  readonly id: number;
  readonly deleted: boolean;
}

/** Everything that is kept; rows are never changed, lists are replaced. */
interface Tables {
  readonly lastIds: ReadonlyMap<string, number>;
  readonly schemas: readonly SchemaRow[];
  readonly versions: readonly VersionRow[];
  readonly settings: ReadonlyMap<string, RegistrySettings>;
}

export interface MemoryRegistryStoreOptions {
  /** Names the registry. */
  readonly identity?: string;
}

/** The reference adapter: a registry's storage in the memory of one process. */
export class MemoryRegistryStore implements RegistryStore {
  readonly #identity: string;
  #tables: Tables = {
    lastIds: new Map([[".", 0]]),
    schemas: [],
    versions: [],
    settings: new Map(),
  };
  /** The change at work, or the last one: the next begins when it has ended. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: MemoryRegistryStoreOptions = {}) {
    this.#identity = options.identity ?? "memory";
  }

  async identity(): Promise<string> {
    return this.#identity;
  }

  async change<Result>(
    context: string,
    work: (change: RegistryChange) => Promise<Result>,
  ): Promise<Result> {
    const ended = this.#last.then(() => this.#alone(context, work));
    this.#last = ended.catch(() => undefined);
    return ended;
  }

  async #alone<Result>(
    context: string,
    work: (change: RegistryChange) => Promise<Result>,
  ): Promise<Result> {
    const before = this.#tables;
    try {
      await this.raiseLastId(context, 0);
      return await work(this);
    } catch (error) {
      this.#tables = before;
      throw error;
    }
  }

  async contexts(): Promise<readonly string[]> {
    return [...this.#tables.lastIds.keys()].sort();
  }

  async schema(context: string, id: number): Promise<StoredSchema | undefined> {
    return this.#tables.schemas.find((row) => row.context === context && row.id === id);
  }

  async lastId(context: string): Promise<number> {
    return this.#tables.lastIds.get(context) ?? 0;
  }

  async idOf(context: string, fingerprint: Buffer): Promise<number | undefined> {
    const ids = this.#tables.schemas
      .filter((row) => row.context === context && row.fingerprint.equals(fingerprint))
      .map((row) => row.id);
    return ids.length === 0 ? undefined : Math.min(...ids);
  }

  async versionsOf(name: SubjectName): Promise<readonly StoredVersion[]> {
    return this.#stored((row) => isOf(row, name));
  }

  async versionsWith(context: string, id: number): Promise<readonly StoredVersion[]> {
    return this.#stored((row) => row.context === context && row.id === id);
  }

  async subjects(selection: SubjectSelection): Promise<readonly StoredSubject[]> {
    const subjects = new Map<string, StoredSubject>();
    for (const { name, deleted } of await this.select(selection)) {
      const known = subjects.get(keyOf(name));
      subjects.set(keyOf(name), { name, deleted: deleted && (known?.deleted ?? true) });
    }
    return [...subjects.values()];
  }

  async select({ context, prefix }: SubjectSelection): Promise<readonly StoredVersion[]> {
    return this.#stored(
      (row) => row.subject.startsWith(prefix) && (context ?? row.context) === row.context,
    );
  }

  async referrers(subject: string, version: number): Promise<readonly StoredVersion[]> {
    return this.#stored((row) => !row.deleted).filter(({ references }) =>
      references.some((one) => one.subject === subject && one.version === version),
    );
  }

  async settings(name: SubjectName): Promise<RegistrySettings> {
    return this.#tables.settings.get(keyOf(name)) ?? {};
  }

  async newId(context: string): Promise<number> {
    const id = (await this.lastId(context)) + 1;
    await this.raiseLastId(context, id);
    return id;
  }

  async raiseLastId(context: string, id: number): Promise<void> {
    const last = this.#tables.lastIds.get(context) ?? 0;
    const lastIds = new Map(this.#tables.lastIds).set(context, Math.max(last, id));
    this.#tables = { ...this.#tables, lastIds };
  }

  async addSchema(context: string, added: AddedSchema): Promise<void> {
    const schemas = [...this.#tables.schemas, { ...added, context, framing: false }];
    this.#tables = { ...this.#tables, schemas };
  }

  async putVersion(name: SubjectName, added: { version: number; id: number }): Promise<void> {
    this.#replaceVersions((row) =>
      isOf(row, name) && row.version === added.version ? undefined : row,
    );
    const versions = [...this.#tables.versions, { ...name, ...added, deleted: false }];
    this.#tables = { ...this.#tables, versions: versions.sort(inOrder) };
  }

  async hide(name: SubjectName, versions: readonly number[]): Promise<void> {
    this.#replaceVersions((row) =>
      isOf(row, name) && versions.includes(row.version) ? { ...row, deleted: true } : row,
    );
  }

  async remove(name: SubjectName, versions: readonly number[]): Promise<void> {
    this.#replaceVersions((row) =>
      isOf(row, name) && versions.includes(row.version) ? undefined : row,
    );
    const used = new Set(this.#tables.versions.map((row) => `${row.context}\n${row.id}`));
    const schemas = this.#tables.schemas.filter(
      (row) => row.framing || used.has(`${row.context}\n${row.id}`),
    );
    this.#tables = { ...this.#tables, schemas };
  }

  async putSettings(name: SubjectName, settings: RegistrySettings): Promise<void> {
    const replaced = new Map(this.#tables.settings);
    if (Object.keys(settings).length === 0) replaced.delete(keyOf(name));
    else replaced.set(keyOf(name), settings);
    this.#tables = { ...this.#tables, settings: replaced };
  }

  async markFraming(context: string, id: number): Promise<void> {
    const schemas = this.#tables.schemas.map((row) =>
      row.context === context && row.id === id ? { ...row, framing: true } : row,
    );
    this.#tables = { ...this.#tables, schemas };
  }

  #replaceVersions(replacement: (row: VersionRow) => VersionRow | undefined): void {
    const versions = this.#tables.versions.flatMap((row) => replacement(row) ?? []);
    this.#tables = { ...this.#tables, versions };
  }

  #stored(isMeant: (row: VersionRow) => boolean): StoredVersion[] {
    const { schemas, versions } = this.#tables;
    return versions.filter(isMeant).flatMap(({ context, subject, ...version }) => {
      const schema = schemas.find((row) => row.context === context && row.id === version.id);
      if (schema === undefined) return [];
      const { references, fingerprint, framing } = schema;
      return {
        ...version,
        schema: schema.schema,
        references,
        fingerprint,
        framing,
        name: { context, subject },
      };
    });
  }
}

const keyOf = ({ context, subject }: SubjectName): string => `${context}\n${subject}`;

const isOf = (row: VersionRow, name: SubjectName): boolean =>
  row.context === name.context && row.subject === name.subject;

function inOrder(one: VersionRow, other: VersionRow): number {
  const [a, b] = [keyOf(one), keyOf(other)];
  return a === b ? one.version - other.version : a < b ? -1 : 1;
}
