import type { StoredVersion } from "../../../engine/ports/registry-store.ts";
import { refusals } from "./refusals.ts";

/** What stands for the latest version that isn't deleted. */
export const latest = -1;

/** @throws RegistryRefusal 42202 for what is neither a version's number nor `latest` or `-1`. */
export function versionNumber(text: string): number {
  const trimmed = text.trim();
  if (trimmed.toLowerCase() === "latest" || trimmed === "-1") return latest;
  const number = /^\+?\d{1,10}$/.test(trimmed) ? Number(trimmed) : 0;
  if (number < 1 || number >= 2 ** 31) throw refusals.versionInvalid(text);
  return number;
}

export function versionIn(
  versions: readonly StoredVersion[],
  number: number,
): StoredVersion | undefined {
  return number === latest
    ? versions.findLast((version) => !version.deleted)
    : versions.find((version) => version.version === number);
}
