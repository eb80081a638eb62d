import { invariant } from "../../../engine/errors.ts";
import type {
  RegistryChange,
  RegistryView,
  StoredVersion,
  SubjectName,
} from "../../../engine/ports/registry-store.ts";
import type {
  RegistryMode,
  SubmittedSchema,
  SubmittedVersion,
} from "../../../engine/ports/subject-registry.ts";
import { incompatibilityTexts, type EarlierVersion } from "./incompatibility-text.ts";
import { findVersion } from "./look-up.ts";
import { parseStored, parseSubmitted, type ParsedSchema } from "./parsed-schema.ts";
import { refusals } from "./refusals.ts";
import { configInScope, refuseReadOnly } from "./settings-scope.ts";
import { qualified } from "./subject-name.ts";

interface Registration {
  readonly name: SubjectName;
  readonly submitted: SubmittedVersion;
  readonly parsed: ParsedSchema;
}

/** The version that a subject has of a schema already: registering it again changes nothing. */
export async function knownVersion(
  view: RegistryView,
  name: SubjectName,
  submitted: SubmittedVersion,
): Promise<StoredVersion | undefined> {
  const parsed = await parseInScope(view, name, await populated(view, name, submitted));
  const found = await findVersion(view, { name, parsed }, "left-out");
  const { id = found?.id, version = found?.version } = submitted;
  return found?.id === id && found?.version === version ? found : undefined;
}

/**
 * Registers a schema inside a change.
 *
 * @throws RegistryRefusal 409, 42201, 42205, 42207, 42209
 */
export async function registerVersion(
  change: RegistryChange,
  name: SubjectName,
  submitted: SubmittedVersion,
): Promise<StoredVersion> {
  const known = await knownVersion(change, name, submitted);
  if (known !== undefined) return known;
  const mode = await checkMode(change, name, submitted);
  const full = await populated(change, name, submitted);
  const parsed = await parseInScope(change, name, full);
  const version = await versionToTake(change, { name, submitted, parsed }, mode);
  if (mode !== "IMPORT") await refuseIncompatible(change, name, parsed);
  const id = await idToTake(change, { name, submitted, parsed });
  return putVersion(change, name, { version, id });
}

async function putVersion(
  change: RegistryChange,
  name: SubjectName,
  added: { readonly version: number; readonly id: number },
): Promise<StoredVersion> {
  await change.putVersion(name, added);
  const versions = await change.versionsOf(name);
  const made = versions.find((one) => one.version === added.version);
  invariant(made !== undefined, `Version ${added.version} of ${qualified(name)} was not put.`);
  return made;
}

/**
 * Gives a subject back a schema that frames records: whatever was deleted or set since, that schema
 * was accepted here before. undefined: it never was.
 */
export async function restoreFraming(
  change: RegistryChange,
  name: SubjectName,
  submitted: SubmittedSchema,
): Promise<StoredVersion | undefined> {
  const parsed = await parseInScope(change, name, submitted);
  const id = await change.idOf(name.context, parsed.fingerprint);
  if (id === undefined || (await change.schema(name.context, id))?.framing !== true) {
    return undefined;
  }
  const version = ((await change.versionsOf(name)).at(-1)?.version ?? 0) + 1;
  return putVersion(change, name, { version, id });
}

/** An empty schema stands for the subject's latest one. */
export async function populated(
  view: Pick<RegistryView, "versionsOf">,
  name: SubjectName,
  submitted: SubmittedVersion,
): Promise<SubmittedVersion> {
  if (submitted.schema.trim() !== "") return submitted;
  const latest = (await view.versionsOf(name)).findLast((version) => !version.deleted);
  if (latest === undefined) throw refusals.schemaEmpty();
  return { ...submitted, schema: latest.schema, references: latest.references };
}

export async function parseInScope(
  view: RegistryView,
  name: SubjectName,
  submitted: SubmittedSchema,
): Promise<ParsedSchema> {
  const normalize = submitted.normalize === true || (await configInScope(view, name)).normalize;
  return parseSubmitted(view, name, { ...submitted, normalize: normalize === true });
}

export async function earlierVersions(
  view: Pick<RegistryView, "versionsOf">,
  versions: readonly StoredVersion[],
): Promise<readonly EarlierVersion[]> {
  const earlier: EarlierVersion[] = [];
  for (const version of versions) {
    if (version.deleted) continue;
    const { schema } = await parseStored(view, version, version.name);
    earlier.push({ version, schema });
  }
  return earlier;
}

async function checkMode(
  change: RegistryChange,
  name: SubjectName,
  submitted: SubmittedVersion,
): Promise<RegistryMode> {
  const mode = await refuseReadOnly(change, name);
  if (submitted.id !== undefined && mode !== "IMPORT") throw refusals.notImporting(qualified(name));
  if (submitted.id === undefined && mode !== "READWRITE") {
    throw refusals.notReadWrite(qualified(name));
  }
  return mode;
}

/** The next one, over the deleted ones too; while importing, the one that is asked for. */
async function versionToTake(
  change: RegistryChange,
  { name, submitted }: Registration,
  mode: RegistryMode,
): Promise<number> {
  const versions = await change.versionsOf(name);
  const next = (versions.at(-1)?.version ?? 0) + 1;
  const { version: asked = 0 } = submitted;
  if (asked <= 0 || asked === next) return next;
  if (mode !== "IMPORT") throw refusals.versionOutOfTurn();
  return asked;
}

async function refuseIncompatible(
  change: RegistryChange,
  name: SubjectName,
  parsed: ParsedSchema,
): Promise<void> {
  const { compatibility } = await configInScope(change, name);
  const earlier = await earlierVersions(change, await change.versionsOf(name));
  const messages = incompatibilityTexts(compatibility, parsed.schema, earlier);
  if (messages.length > 0) throw refusals.incompatible(qualified(name), messages);
}

/** The id that the schema has in this context, or the next one; while importing, its own. */
async function idToTake(
  change: RegistryChange,
  { name: { context }, submitted, parsed }: Registration,
): Promise<number> {
  const { text: schema, references, fingerprint } = parsed;
  if (submitted.id === undefined) {
    const known = await change.idOf(context, fingerprint);
    if (known !== undefined) return known;
    const id = await change.newId(context);
    await change.addSchema(context, { id, schema, references, fingerprint });
    return id;
  }
  const { id } = submitted;
  const known = await change.idOf(context, fingerprint);
  if (
    known !== undefined &&
    known !== id &&
    (await change.versionsWith(context, known)).length > 0
  ) {
    throw refusals.idDiffers(id, known);
  }
  const taken = await change.schema(context, id);
  if (taken === undefined) {
    await change.addSchema(context, { id, schema, references, fingerprint });
    await change.raiseLastId(context, id);
  } else if (!taken.fingerprint.equals(fingerprint)) throw refusals.idTaken(id);
  return id;
}
