import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import tls from "node:tls";

import { CommandFailure } from "../command-failure.ts";

const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Lets every connection of this process trust the authorities in a PEM file beside the usual ones,
 * where it has none of its own. It stands for the whole process, as there is no other way to the
 * requests of `fetch`.
 *
 * @throws CommandFailure `usage` for a file without certificates.
 */
export function trustAuthorities(path: string | undefined): void {
  if (path === undefined) return;
  if (!("setDefaultCACertificates" in tls)) {
    throw new CommandFailure(
      "usage",
      "REFOLD_TLS_CA needs Node 24.5 or later: use it, or Node's own NODE_EXTRA_CA_CERTS.",
    );
  }
  const added = authoritiesIn(path);
  tls.setDefaultCACertificates([...new Set([...tls.getCACertificates("default"), ...added])]);
}

function authoritiesIn(path: string): readonly string[] {
  try {
    const found = readFileSync(path, "utf8").match(certificate) ?? [];
    if (found.length === 0) throw new TypeError("no certificate in PEM");
    // Of what is none it says so.
    return found.map((one) => new X509Certificate(one).toString());
  } catch (cause) {
    const why =
      (cause as NodeJS.ErrnoException).code ??
      (cause instanceof Error ? cause.message : String(cause));
    throw new CommandFailure("usage", `REFOLD_TLS_CA: ${path} can't be used (${why}).`, { cause });
  }
}
