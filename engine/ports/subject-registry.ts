import type { CompatibilityLevel } from "./schema-registry.ts";

/** A named type of another subject's version that a schema uses. */
export interface SchemaReference {
  /** The type's full name. */
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

/** What may be written: everything, nothing, nothing whatever subjects say, schemas with ids. */
export const registryModes = ["READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT"] as const;

export type RegistryMode = (typeof registryModes)[number];

/** A schema as a client hands it in. */
export interface SubmittedSchema {
  /** Empty: the subject's latest one is meant. */
  readonly schema: string;
  /** `AVRO` where it isn't said. */
  readonly schemaType?: string;
  readonly references?: readonly SchemaReference[];
  /** Brings the schema into one spelling first. */
  readonly normalize?: boolean;
}

/** With the id and version that it had in another registry; only in mode IMPORT. */
export interface SubmittedVersion extends SubmittedSchema {
  readonly id?: number;
  readonly version?: number;
}

/** A schema under a subject. */
export interface SubjectSchema {
  /** Qualified by its context where that isn't the default one: `:.staging:orders-value`. */
  readonly subject: string;
  readonly version: number;
  readonly id: number;
  readonly schema: string;
  readonly references: readonly SchemaReference[];
}

/** Which of the versions: by default those that aren't deleted. */
export type Deleted = "left-out" | "included" | "only";

export interface SubjectFilter {
  /** Begins with a context (`:.staging:`) or stands for all of them (`:*:`). */
  readonly prefix: string;
  readonly deleted: Deleted;
}

/** What is set for a subject, a context, or everything that nothing else is set for. */
export interface RegistryConfig {
  readonly compatibility: CompatibilityLevel;
  readonly normalize?: boolean;
}

/** As a client names them: the registry decides whether they mean anything. */
export interface ConfigUpdate {
  readonly compatibility?: string;
  readonly normalize?: boolean;
}

/** Whose setting is meant; `undefined` as subject is the global one. */
export interface SettingScope {
  readonly subject: string | undefined;
  /** What to answer where the subject has none of its own. */
  readonly otherwise: "refuse" | "inherited";
}

/**
 * A schema registry as Confluent's REST interface presents it: every operation with its rules, and
 * refusals with Confluent's codes and wording
 * (https://docs.confluent.io/platform/current/schema-registry/develop/api.html). Subjects may be
 * qualified by a context; versions are text: a number, `latest` or `-1`.
 *
 * Failures: `RegistryRefusal` where the caller asked for what can't be had, `TransientError` for an
 * outage.
 */
export interface SubjectRegistry {
  readonly subjects: SubjectCatalogue;
  readonly schemas: SchemaCatalogue;
  readonly settings: RegistrySettingsDesk;
}

export interface SubjectCatalogue {
  names(filter: SubjectFilter): Promise<readonly string[]>;
  /**
   * Gives the schema the next version of the subject, or the version that it has. The same schema
   * has one id in its context, whatever subjects it is under.
   */
  register(subject: string, submitted: SubmittedVersion): Promise<SubjectSchema>;
  lookUp(subject: string, submitted: SubmittedSchema, deleted: Deleted): Promise<SubjectSchema>;
  versions(subject: string, deleted: Deleted): Promise<readonly number[]>;
  version(subject: string, version: string, deleted: Deleted): Promise<SubjectSchema>;
  /** Ids of the schemas that refer to this version, in rising order. */
  referencedBy(subject: string, version: string): Promise<readonly number[]>;
  /** The versions that were deleted. `permanent` takes only what was hidden before. */
  deleteSubject(subject: string, how: Deletion): Promise<readonly number[]>;
  deleteVersion(subject: string, version: string, how: Deletion): Promise<number>;
  /**
   * What stands against registering it after a version, or after `all`, in Confluent's words; empty
   * where nothing does.
   */
  check(subject: string, submitted: SubmittedSchema, against: string): Promise<readonly string[]>;
}

/** `hide` can be looked at with `deleted=true`, and keeps the version's number. */
export type Deletion = "hide" | "permanent";

export interface SchemaCatalogue {
  /** @param subject Its context is where the id is looked for; the default one otherwise. */
  byId(id: number, subject?: string): Promise<SchemaById>;
  /** The versions that have this id. */
  uses(id: number, deleted: Deleted, subject?: string): Promise<readonly SubjectSchema[]>;
  list(filter: SubjectFilter, which: "all" | "latest"): Promise<readonly SubjectSchema[]>;
  /** The greatest id ever given in the subject's context. */
  maxId(subject?: string): Promise<number>;
  contexts(): Promise<readonly string[]>;
}

export interface SchemaById {
  readonly schema: string;
  readonly references: readonly SchemaReference[];
  /** The same with everything in it that it refers to. */
  readonly resolved: string;
}

export interface RegistrySettingsDesk {
  config(scope: SettingScope): Promise<RegistryConfig>;
  setConfig(subject: string | undefined, update: ConfigUpdate): Promise<ConfigUpdate>;
  /** What was set before. */
  deleteConfig(subject: string | undefined): Promise<RegistryConfig>;
  mode(scope: SettingScope): Promise<RegistryMode>;
  /** @param existing `forced`: IMPORT may begin although there are schemas already. */
  setMode(
    subject: string | undefined,
    mode: string,
    existing: "refused" | "forced",
  ): Promise<RegistryMode>;
  deleteMode(subject: string | undefined): Promise<RegistryMode>;
}

/** A registry's no, in Confluent's numbers and words. */
export class RegistryRefusal extends Error {
  /** 409, or five digits of which the first three are the HTTP status. */
  readonly errorCode: number;

  constructor(errorCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RegistryRefusal";
    this.errorCode = errorCode;
  }
}
