import type {
  RegistryChange,
  StoredVersion,
  SubjectName,
} from "../../../engine/ports/registry-store.ts";
import { refusals } from "./refusals.ts";
import { refuseReadOnly } from "./settings-scope.ts";
import { qualified } from "./subject-name.ts";
import { versionIn, versionNumber } from "./version-number.ts";

interface VersionToDelete {
  readonly name: SubjectName;
  /** As the client wrote it. */
  readonly version: string;
}

/** Hides all versions of a subject. @throws RegistryRefusal 40401, 40404, 42205, 42206 */
export async function hideSubject(
  change: RegistryChange,
  name: SubjectName,
): Promise<readonly number[]> {
  const versions = await change.versionsOf(name);
  if (versions.length === 0) throw refusals.subjectUnknown(qualified(name));
  const shown = versions.filter((version) => !version.deleted);
  if (shown.length === 0) throw refusals.subjectHidden(qualified(name));
  await refuseReadOnly(change, name);
  await refuseReferenced(change, shown);
  const numbers = shown.map((version) => version.version);
  await change.hide(name, numbers);
  return numbers;
}

/**
 * Takes a hidden subject away for good, with its settings.
 *
 * @throws RegistryRefusal 40401, 40405, 42205, 42206
 */
export async function removeSubject(
  change: RegistryChange,
  name: SubjectName,
): Promise<readonly number[]> {
  const versions = await change.versionsOf(name);
  if (versions.length === 0) throw refusals.subjectUnknown(qualified(name));
  await refuseReadOnly(change, name);
  await refuseReferenced(change, versions);
  if (versions.some((version) => !version.deleted)) {
    throw refusals.subjectNotHidden(qualified(name));
  }
  const numbers = versions.map((version) => version.version);
  await change.remove(name, numbers);
  await change.putSettings(name, {});
  return numbers;
}

/** Hides one version. @throws RegistryRefusal 40401, 40402, 40406, 42202, 42205, 42206 */
export async function hideVersion(
  change: RegistryChange,
  { name, version }: VersionToDelete,
): Promise<number> {
  const found = await versionOf(change, { name, version });
  if (found.deleted) throw refusals.versionHidden(qualified(name), version);
  await refuseReadOnly(change, name);
  await refuseReferenced(change, [found]);
  await change.hide(name, [found.version]);
  return found.version;
}

/** Takes a hidden version away for good. @throws RegistryRefusal as `hideVersion`, and 40407 */
export async function removeVersion(
  change: RegistryChange,
  { name, version }: VersionToDelete,
): Promise<number> {
  const found = await versionOf(change, { name, version });
  await refuseReadOnly(change, name);
  await refuseReferenced(change, [found]);
  if (!found.deleted) throw refusals.versionNotHidden(qualified(name), found.version);
  await change.remove(name, [found.version]);
  return found.version;
}

async function versionOf(
  change: RegistryChange,
  { name, version }: VersionToDelete,
): Promise<StoredVersion> {
  const number = versionNumber(version);
  const versions = await change.versionsOf(name);
  if (versions.length === 0) throw refusals.subjectUnknown(qualified(name));
  const found = versionIn(versions, number);
  if (found === undefined) throw refusals.versionUnknown(number);
  return found;
}

async function refuseReferenced(
  change: RegistryChange,
  versions: readonly StoredVersion[],
): Promise<void> {
  for (const { name, version } of versions) {
    const referrers = await change.referrers(qualified(name), version);
    if (referrers.length > 0) throw refusals.referenced(qualified(name), version);
  }
}
