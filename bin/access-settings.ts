import { type AccessLimits, defaultAccessLimits } from "../api/access/contract.ts";
import { CommandFailure } from "./command-failure.ts";
import { assertLoopback } from "./port.ts";
import type { Environment } from "./servers.ts";

/** How an API that asks who somebody is does it. */
export interface AccessSettings {
  /** Exact origins that browsers may open streams from, beside the server's own. */
  readonly origins: readonly string[];
  readonly limits: AccessLimits;
}

export interface AccessOptions {
  readonly host: string;
  /** Default: REFOLD_AUTH. */
  readonly auth?: string;
  /** With those of REFOLD_ORIGINS. */
  readonly origin?: readonly string[];
  /** A minute; default: REFOLD_SIGN_INS, or 30. */
  readonly signIns?: string;
}

/** Nothing is open by accident. */
const authDefault = "on";

/**
 * Who asks, and from where browsers may; `off`: nobody is asked, which only this machine may reach.
 *
 * @throws CommandFailure `usage` naming what can't be used.
 */
export function accessSettingsOf(
  options: AccessOptions,
  settings: Environment,
): "off" | AccessSettings {
  const auth = options.auth ?? settings["REFOLD_AUTH"] ?? authDefault;
  if (auth !== "on" && auth !== "off") {
    throw new CommandFailure("usage", `--auth (REFOLD_AUTH) is on or off, not "${auth}".`);
  }
  const origins = originsOf([...listed(settings["REFOLD_ORIGINS"]), ...(options.origin ?? [])]);
  const signInsPerAddress = signInsOf(options.signIns ?? settings["REFOLD_SIGN_INS"]);
  if (auth === "on") return { origins, limits: { ...defaultAccessLimits, signInsPerAddress } };
  assertLoopback(options.host);
  return "off";
}

const listed = (text = ""): string[] =>
  text
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean);

function originsOf(texts: readonly string[]): readonly string[] {
  const wrong = texts.filter((text) => !isOrigin(text));
  if (wrong.length === 0) return [...new Set(texts)];
  throw new CommandFailure(
    "usage",
    `--origin (REFOLD_ORIGINS) takes origins as browsers send them, such as ` +
      `https://portal.example.org (no path, no default port, no *), not ${wrong.join(", ")}.`,
  );
}

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, origin } = new URL(text);
  return (protocol === "http:" || protocol === "https:") && origin === text;
}

const signInsMax = 100_000;

function signInsOf(text = String(defaultAccessLimits.signInsPerAddress)): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= signInsMax) return value;
  throw new CommandFailure(
    "usage",
    `--sign-ins (REFOLD_SIGN_INS) is a whole number a minute from 1 to ${signInsMax}, not "${text}".`,
  );
}
