import { readFileSync } from "node:fs";

/** Refold's version, out of its manifest. */
export function refoldVersion(): string {
  // Beside bin in a checkout, beside dist in the published package.
  for (const up of ["../package.json", "../../package.json"]) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8"));
      const { name, version } = manifest as { name?: string; version?: string };
      if (name === "refold" && version !== undefined) return version;
    } catch {
      // The next place.
    }
  }
  return "unknown";
}
