import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";

import type { ServerTls } from "../../api/index.ts";
import { CommandFailure } from "../command-failure.ts";
import { settingsOf } from "../environment.ts";

export interface ServerTlsOptions {
  readonly envFile?: string;
  /** A file; default: REFOLD_TLS_CERT. */
  readonly tlsCert?: string;
  /** A file; default: REFOLD_TLS_KEY. */
  readonly tlsKey?: string;
}

/**
 * What the API proves its name with; undefined: it speaks HTTP without TLS.
 *
 * @throws CommandFailure `usage` for one without the other, and for files that can't be used.
 */
export function serverTlsOf(options: ServerTlsOptions): ServerTls | undefined {
  const settings = settingsOf(options.envFile);
  const certFile = options.tlsCert ?? settings["REFOLD_TLS_CERT"];
  const keyFile = options.tlsKey ?? settings["REFOLD_TLS_KEY"];
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    throw new CommandFailure("usage", "--tls-cert and --tls-key go together: give both, or none.");
  }
  const tls = { cert: read("--tls-cert", certFile), key: read("--tls-key", keyFile) };
  try {
    createSecureContext(tls);
  } catch (cause) {
    // What OpenSSL says names its own sources and nothing of the files.
    throw new CommandFailure(
      "usage",
      `${certFile} and ${keyFile} can't serve TLS: they must be PEM, and the key (without a ` +
        "passphrase) the certificate's own.",
      { cause },
    );
  }
  return tls;
}

function read(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new CommandFailure("usage", `${option}: ${path} can't be read (${why}).`, { cause });
  }
}
