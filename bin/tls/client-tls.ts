import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";

/** Settings by name, as the environment has them. */
type Settings = Readonly<Record<string, string | undefined>>;

/** What a client of TLS trusts, and how it proves who it is; the texts of PEM files. */
export interface ClientTls {
  /** Certificates of authorities that are trusted in place of the usual ones. */
  readonly ca?: string;
  /** A certificate of the client's own, and those between it and its root. */
  readonly cert?: string;
  /** The certificate's private key, without a passphrase. */
  readonly key?: string;
}

/**
 * The files that `<prefix>_TLS_CA`, `_TLS_CERT` and `_TLS_KEY` name; undefined: none. What can't be
 * used is added to the faults.
 */
export function clientTlsIn(
  prefix: string,
  settings: Settings,
  faults: string[],
): ClientTls | undefined {
  const read = (name: string): string | undefined => {
    const path = settings[name];
    if (path === undefined) return undefined;
    try {
      return readFileSync(path, "utf8");
    } catch (cause) {
      faults.push(`${name}: ${path} can't be read (${(cause as NodeJS.ErrnoException).code})`);
      return "";
    }
  };
  const [ca, cert, key] = ["CA", "CERT", "KEY"].map((part) => read(`${prefix}_TLS_${part}`));
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  const tls = { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
  if ((cert === undefined) !== (key === undefined)) {
    faults.push(`${prefix}_TLS_CERT and ${prefix}_TLS_KEY go together`);
  } else if (!isUsable(tls)) {
    faults.push(
      `${prefix}_TLS_CERT and ${prefix}_TLS_KEY must be PEM, the key the certificate's own and ` +
        "without a passphrase",
    );
  }
  return tls;
}

function isUsable({ cert, key }: ClientTls): boolean {
  if (cert === undefined || key === undefined) return true;
  try {
    createSecureContext({ cert, key });
    return true;
  } catch {
    return false;
  }
}
