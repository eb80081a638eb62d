import { Command, InvalidArgumentError } from "commander";

import { type AccessOptions, accessSettingsOf } from "./access-settings.ts";
import { givenLimits, type PlaceOptions, settingsOf } from "./environment.ts";
import { limitsOf, limitsText } from "./limits.ts";
import { isLoopback, type Address } from "./port.ts";
import { type ProbesPlace, probesPortFirst } from "./probes-place.ts";
import type { ApiRole } from "./system/run-roles.ts";
import { reportToTerminal } from "./terminal.ts";
import { serverTlsOf } from "./tls/server-tls.ts";
import { trustedProxiesOf } from "./trust-proxy.ts";

/** A command that takes the options by which it finds its database. */
export function commandOnDatabase(name: string): Command {
  return new Command(name)
    .option("--data <dir>", "data folder (default: .refold, or REFOLD_DATA)")
    .option("--database-url <url>", "a Postgres of your own (default: DATABASE_URL)")
    .option("--env-file <file>", "settings that the environment doesn't have (NAME=value lines)");
}

export type OptionsOnDatabase = PlaceOptions;

/** A command that serves the API, too: where, and within which bounds. */
export function commandWithApi(name: string): Command {
  return commandOnDatabase(name)
    .option("--port <port>", "port of the API; 0 takes a free one", wholeNumber(0, 65_535), 8080)
    .option("--host <host>", "address of the API; only loopback with --auth off", "127.0.0.1")
    .option("--auth <on|off>", "ask who somebody is, or leave all open (REFOLD_AUTH; default: on)")
    .option(
      "--origin <origin...>",
      "of pages that may open streams here (REFOLD_ORIGINS, with commas)",
    )
    .option("--sign-ins <number>", "from one address in a minute (REFOLD_SIGN_INS; default: 30)")
    .option("--tls-cert <file>", "serve HTTPS: the certificate chain in PEM (REFOLD_TLS_CERT)")
    .option("--tls-key <file>", "the certificate's private key in PEM (REFOLD_TLS_KEY)")
    .option(
      "--trust-proxy <number|address,...>",
      "clients' addresses are those of X-Forwarded-For: behind so many proxies, or behind these " +
        "addresses and networks (REFOLD_TRUST_PROXY; default: the header is ignored)",
    )
    .option("--limit <name=number...>", "bounds of the API (also: REFOLD_LIMITS, with commas)")
    .addHelpText("after", `\nLimits, with their defaults (docs/http.md):\n${limitsText()}`);
}

export interface OptionsWithApi extends OptionsOnDatabase, AccessOptions, Address {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** Default: REFOLD_TRUST_PROXY. */
  readonly trustProxy?: string;
  readonly limit?: readonly string[];
}

/** Where and how the API is served. @throws CommandFailure for an address or a limit that can't be. */
export function apiOf(options: OptionsWithApi): ApiRole {
  const settings = settingsOf(options.envFile);
  const access = accessSettingsOf(options, settings);
  const proxies = trustedProxiesOf(options.trustProxy ?? settings["REFOLD_TRUST_PROXY"]);
  const tls = serverTlsOf(options);
  const limits = limitsOf(givenLimits(options.limit));
  if (tls === undefined && !isLoopback(options.host)) reportToTerminal(plainHttp(options.host));
  return {
    address: options,
    limits,
    access,
    ...(tls === undefined ? {} : { tls }),
    ...(proxies === undefined ? {} : { trustedProxies: proxies }),
  };
}

const plainHttp = (host: string): string =>
  `Passwords and tokens travel in the clear to ${host}: give --tls-cert and --tls-key, or let a ` +
  "proxy in front of it speak TLS.";

/** A command that runs for long without an API: where it serves health and metrics. */
export function commandWithProbes(name: string): Command {
  return commandOnDatabase(name)
    .option(
      "--port <port>",
      "port of /livez, /readyz and /metrics; 0 takes a free one " +
        `(default: the first free one from ${probesPortFirst} on)`,
      wholeNumber(0, 65_535),
    )
    .option("--host <host>", "address of /livez, /readyz and /metrics", "127.0.0.1");
}

export interface OptionsWithProbes extends OptionsOnDatabase {
  readonly host: string;
  readonly port?: number;
}

/** Where health and metrics are served. */
export const probesOf = ({ host, port }: OptionsWithProbes): ProbesPlace => ({ host, port });

/** For commands that run projections: what a new version of one does, and how often rows are audited. */
export const withProjections = (command: Command): Command =>
  command
    .option(
      "--rebuild <policy>",
      "a new version of a projection is rebuilt and swapped in by itself (auto), or when an " +
        "operator asks (manual); REFOLD_REBUILD (default: auto)",
    )
    .option(
      "--audit-rest <seconds>",
      "rest between two looks whether stored rows are what the log gives; REFOLD_AUDIT_REST " +
        "(default: 60)",
    );

/** Parses a whole number within bounds, for commander. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}
