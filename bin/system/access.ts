import { LogSessionView } from "../../api/access/session-view.ts";
import type { Access } from "../../api/index.ts";
import { openAccounts, openTokens } from "../../connectors/accounts/index.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type { AccessSettings } from "../access-settings.ts";
import { systemClock } from "../system-clock.ts";
import { reportToTerminal } from "../terminal.ts";
import type { Stores } from "./stores.ts";

/** How long a start waits to know which sessions have ended; writes are refused until it does. */
const knownWithinMs = 2_000;

/** Who may use the API, until it is disposed of. */
export interface OpenedAccess extends AsyncDisposable {
  readonly access: Access;
}

/** Follows sessions, and reads accounts and keys where all instances on the database have them. */
export async function openAccess(
  { limits, origins }: AccessSettings,
  {
    pool,
    log,
    eventStore,
    metrics,
  }: Pick<Stores, "pool" | "log" | "eventStore"> & { readonly metrics: Metrics },
): Promise<OpenedAccess> {
  const clock = systemClock;
  const report = reportToTerminal;
  const sessions = new LogSessionView({ log, eventStore, clock, limits, metrics, report });
  sessions.start();
  await Promise.race([sessions.current, clock.sleep(knownWithinMs)]);
  const accounts = openAccounts({ pool, limits, report });
  const tokens = openTokens({ pool, clock, limits, report });
  return {
    access: { accounts, tokens, sessions, limits, origins },
    [Symbol.asyncDispose]: () => sessions[Symbol.asyncDispose](),
  };
}
