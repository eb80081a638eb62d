import { RegistryRefusal, type SchemaReference } from "../../../engine/ports/subject-registry.ts";

/** Every no of the registry, with the codes and the wording of Confluent's. */
export const refusals = {
  subjectUnknown: (subject: string) =>
    new RegistryRefusal(40401, `Subject '${subject}' not found.`),
  versionUnknown: (version: number) => new RegistryRefusal(40402, `Version ${version} not found.`),
  schemaUnknown: (id?: number) =>
    new RegistryRefusal(40403, id === undefined ? "Schema not found" : `Schema ${id} not found`),
  subjectHidden: (subject: string) =>
    new RegistryRefusal(
      40404,
      `Subject '${subject}' was soft deleted.Set permanent=true to delete permanently`,
    ),
  subjectNotHidden: (subject: string) =>
    new RegistryRefusal(
      40405,
      `Subject '${subject}' was not deleted first before being permanently deleted`,
    ),
  versionHidden: (subject: string, version: string) =>
    new RegistryRefusal(
      40406,
      `Subject '${subject}' Version ${version} was soft deleted.` +
        "Set permanent=true to delete permanently",
    ),
  versionNotHidden: (subject: string, version: number) =>
    new RegistryRefusal(
      40407,
      `Subject '${subject}' Version ${version} was not deleted first ` +
        "before being permanently deleted",
    ),
  configUnset: (subject: string) =>
    new RegistryRefusal(
      40408,
      `Subject '${subject}' does not have subject-level compatibility configured`,
    ),
  modeUnset: (subject: string) =>
    new RegistryRefusal(40409, `Subject '${subject}' does not have subject-level mode configured`),
  incompatible: (subject: string, messages: readonly string[]) =>
    new RegistryRefusal(
      409,
      "Schema being registered is incompatible with an earlier schema for subject " +
        `"${subject}", details: [${messages.join(", ")}]`,
    ),
  schemaEmpty: () => new RegistryRefusal(42201, "Empty schema"),
  schemaInvalid: (told: string, cause: unknown) =>
    new RegistryRefusal(
      42201,
      `Invalid schema ${told}, details: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    ),
  schemaTypeUnknown: (schemaType: string) =>
    new RegistryRefusal(42201, `Invalid schema type ${schemaType}: only AVRO is supported`),
  referenceUnknown: (told: string, { subject, version }: SchemaReference) =>
    new RegistryRefusal(
      42201,
      `Invalid schema ${told}, details: No schema reference found for subject "${subject}" ` +
        `and version ${version}`,
    ),
  versionOutOfTurn: () =>
    new RegistryRefusal(42201, "Version is not one more than previous version"),
  versionInvalid: (version: string) =>
    new RegistryRefusal(
      42202,
      `The specified version '${version}' is not a valid version id. ` +
        'Allowed values are between [1, 2^31-1] and the string "latest"',
    ),
  levelInvalid: () =>
    new RegistryRefusal(
      42203,
      "Invalid compatibility level. Valid values are none, backward, forward, full, " +
        "backward_transitive, forward_transitive, and full_transitive",
    ),
  modeInvalid: () =>
    new RegistryRefusal(
      42204,
      "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, and IMPORT.",
    ),
  readOnly: (subject: string) =>
    new RegistryRefusal(42205, `Subject ${subject} is in read-only mode`),
  notImporting: (subject: string) =>
    new RegistryRefusal(42205, `Subject ${subject} is not in import mode`),
  notReadWrite: (subject: string) =>
    new RegistryRefusal(42205, `Subject ${subject} is not in read-write mode`),
  subjectsExist: () => new RegistryRefusal(42205, "Cannot import since found existing subjects"),
  idTaken: (id: number) =>
    new RegistryRefusal(42205, `Overwrite new schema with id ${id} is not permitted.`),
  referenced: (subject: string, version: number) =>
    new RegistryRefusal(
      42206,
      "One or more references exist to the schema " +
        `{magic=1,keytype=SCHEMA,subject=${subject},version=${version}}.`,
    ),
  idDiffers: (given: number, known: number) =>
    new RegistryRefusal(
      42207,
      `Schema already registered with id ${known} instead of input id ${given}`,
    ),
  subjectInvalid: (subject: string) =>
    new RegistryRefusal(42208, `The specified subject '${subject}' is not a valid.`),
  schemaTooLarge: (charactersMax: number) =>
    new RegistryRefusal(
      42209,
      "Register operation failed because schema is too large: " +
        `at most ${charactersMax} characters are taken`,
    ),
} as const;
