import type {
  RegistryView,
  StoredVersion,
  SubjectName,
} from "../../../engine/ports/registry-store.ts";
import type { Deleted, SubjectSchema } from "../../../engine/ports/subject-registry.ts";
import { parseStored, type ParsedSchema } from "./parsed-schema.ts";
import { qualified } from "./subject-name.ts";

/** As clients see it. */
export function subjectSchema(version: StoredVersion): SubjectSchema {
  const { id, schema, references } = version;
  return { subject: qualified(version.name), version: version.version, id, schema, references };
}

export function isMeant({ deleted }: Pick<StoredVersion, "deleted">, which: Deleted): boolean {
  return which === "included" || deleted === (which === "only");
}

/**
 * The latest version of the subject that holds this schema: the same text with the same references,
 * or the same types where the one refers to what the other has in itself.
 */
export async function findVersion(
  view: Pick<RegistryView, "versionsOf">,
  sought: { readonly name: SubjectName; readonly parsed: ParsedSchema },
  which: Deleted,
): Promise<StoredVersion | undefined> {
  const { name, parsed } = sought;
  const versions = (await view.versionsOf(name)).filter((version) => isMeant(version, which));
  const same = versions.findLast((one) => one.fingerprint.equals(parsed.fingerprint));
  if (same !== undefined || parsed.references.length > 0) return same;
  for (const version of versions.toReversed()) {
    if (version.references.length === 0) continue;
    const known = await parseStored(view, version, name);
    if (known.resolved === parsed.resolved) return version;
  }
  return undefined;
}
