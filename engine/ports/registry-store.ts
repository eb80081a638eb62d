import type { CompatibilityLevel } from "./schema-registry.ts";
import type { RegistryMode, SchemaReference } from "./subject-registry.ts";

/** A subject in its context. `''` as subject is what is set for the whole context. */
export interface SubjectName {
  /** `.` is the default context, others begin with a point: `.staging`. */
  readonly context: string;
  readonly subject: string;
}

export interface StoredSchema {
  /** Unique in its context, never given twice. */
  readonly id: number;
  readonly schema: string;
  /** Subjects are qualified and versions are numbers. */
  readonly references: readonly SchemaReference[];
  /** Equal for two spellings of the same schema with the same references. */
  readonly fingerprint: Buffer;
  /** This system frames records with the id: it must stay resolvable as long as the log lives. */
  readonly framing: boolean;
}

export interface StoredVersion extends StoredSchema {
  readonly name: SubjectName;
  readonly version: number;
  /** Softly: it is hidden, and keeps its number and its schema. */
  readonly deleted: boolean;
}

export interface RegistrySettings {
  readonly compatibility?: CompatibilityLevel;
  readonly mode?: RegistryMode;
  /** Whether schemas are brought into one spelling before they are compared and kept. */
  readonly normalize?: boolean;
}

/** A subject that has versions. */
export interface StoredSubject {
  readonly name: SubjectName;
  /** Softly, with all its versions. */
  readonly deleted: boolean;
}

/** Which subjects are meant: those of one context or of all, whose name begins with the prefix. */
export interface SubjectSelection {
  readonly context?: string;
  readonly prefix: string;
}

/** Reads of what is committed, or of what a change in progress has made so far. */
export interface RegistryView {
  /** In rising order, the default context among them. */
  contexts(): Promise<readonly string[]>;
  schema(context: string, id: number): Promise<StoredSchema | undefined>;
  /** The greatest id ever given in the context; 0 before the first. */
  lastId(context: string): Promise<number>;
  /** The least id that has a schema of this fingerprint. */
  idOf(context: string, fingerprint: Buffer): Promise<number | undefined>;
  /** In rising order of version, the softly deleted among them. */
  versionsOf(name: SubjectName): Promise<readonly StoredVersion[]>;
  /** In order of subject and version, the softly deleted among them. */
  versionsWith(context: string, id: number): Promise<readonly StoredVersion[]>;
  /** In order of context and name, the softly deleted among them. */
  subjects(selection: SubjectSelection): Promise<readonly StoredSubject[]>;
  /** In order of context, subject and version, the softly deleted among them. */
  select(selection: SubjectSelection): Promise<readonly StoredVersion[]>;
  /** Versions, not deleted, whose schemas refer to this one (qualified subject). */
  referrers(subject: string, version: number): Promise<readonly StoredVersion[]>;
  /** What is set under this very name; empty where nothing is. */
  settings(name: SubjectName): Promise<RegistrySettings>;
}

export interface RegistryChange extends RegistryView {
  /** The next id of the context. */
  newId(context: string): Promise<number>;
  /** Ids up to this one are not given by `newId` any more. */
  raiseLastId(context: string, id: number): Promise<void>;
  addSchema(context: string, added: AddedSchema): Promise<void>;
  /** Puts a version in place, over the one that has its number. */
  putVersion(name: SubjectName, added: { version: number; id: number }): Promise<void>;
  hide(name: SubjectName, versions: readonly number[]): Promise<void>;
  /**
   * Takes versions away for good, with the schemas that no version has any more and that frame no
   * records.
   */
  remove(name: SubjectName, versions: readonly number[]): Promise<void>;
  /** Puts these settings in place of all that the name had; empty ones take them away. */
  putSettings(name: SubjectName, settings: RegistrySettings): Promise<void>;
  markFraming(context: string, id: number): Promise<void>;
}

export type AddedSchema = Omit<StoredSchema, "framing">;

/**
 * Where a schema registry keeps its contexts, schemas, versions and settings.
 *
 * Failures: `TransientError` for an outage, `FatalError` where the storage is not as it must be.
 */
export interface RegistryStore extends RegistryView {
  /** Names the registry that is kept here; the same for as long as the storage lives. */
  identity(): Promise<string>;
  /**
   * Changes a context, alone: changes of one context follow each other, in all processes, and each
   * sees what those before it left. Nothing of it is kept when `work` rejects, and it then rejects
   * with the same error. A context begins with its first change.
   */
  change<Result>(
    context: string,
    work: (change: RegistryChange) => Promise<Result>,
  ): Promise<Result>;
}
