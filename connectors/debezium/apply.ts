import type { Pool } from "pg";

import { FatalError } from "../../engine/errors.ts";
import type { Lsn } from "../../engine/position.ts";
import type { ConnectClient, ConnectorStatus } from "./connect-client.ts";
import type { DebeziumConnector } from "./connectors.ts";
import { placeAt, placeFault, publishedLsn, type PlaceFault } from "./place.ts";
import { prepareSource, readSlots } from "./source-database.ts";
import { type ConnectorWait, stopConnector, until } from "./stopping.ts";

/** `timeoutMs`: until a connector stops, and until it runs. */
export interface ApplyOptions extends ConnectorWait {
  readonly connect: ConnectClient;
  readonly pool: Pick<Pool, "query">;
  readonly connectors: readonly DebeziumConnector[];
  /**
   * Makes a stopped connector's slot anew and publishes what the log lacks of what came before it.
   * May be called again after a crash.
   */
  readonly recapture: (connector: DebeziumConnector) => Promise<Recapture>;
}

/** What was published in a connector's place, and from where it goes on. */
export interface Recapture {
  readonly lsn: Lsn;
  /** Events and notices that the log lacked. */
  readonly events: number;
  /** Rows of captured tables as they are. */
  readonly rows: number;
  /** Rows that the log told of, and that are gone. */
  readonly removed: number;
}

export interface AppliedConnector {
  readonly name: string;
  readonly was: "new" | "changed" | "unchanged";
  /** Left out: it goes on from where it was. */
  readonly anew?: Recapture & { readonly fault: PlaceFault };
}

/**
 * Brings slots, publications and connectors to what is wanted, and waits until the connectors run.
 * One that never ran, or whose slot no longer has what follows what it has published, begins at a
 * new slot, behind all that the log lacked until there. Applying the same again changes nothing.
 *
 * @throws FatalError `connector-failed` with the reason of one that doesn't start, `wal-level`,
 * `slot-foreign`, and what `recapture` throws.
 * @throws TransientError `connector-slow` when one isn't stopped or running in time.
 */
export async function applyConnectors(options: ApplyOptions): Promise<readonly AppliedConnector[]> {
  const applied: AppliedConnector[] = [];
  for (const connector of options.connectors) applied.push(await applyOne(options, connector));
  for (const connector of options.connectors) await untilRunning(options, connector);
  return applied;
}

async function applyOne(
  options: ApplyOptions,
  connector: DebeziumConnector,
): Promise<AppliedConnector> {
  const { connect, pool } = options;
  const { name, config } = connector;
  const slot = await prepareSource(pool, connector);
  const before = await connect.config(name);
  if (before === undefined) await connect.create(name, config);
  const fault = placeFault(slot, await publishedLsn(connect, connector));
  const anew = fault && { fault, ...(await beginAnew(options, connector)) };
  if (before !== undefined) await connect.configure(name, config);
  await connect.resume(name);
  const status = await connect.status(name);
  if (before !== undefined && status?.failure !== undefined) await connect.restart(name);
  const was =
    before === undefined ? "new" : differing(before, config).length > 0 ? "changed" : "unchanged";
  return { name, was, ...(anew && { anew }) };
}

/** Until the offset is set at the end, the old one and the new slot don't fit: it is begun again. */
async function beginAnew(options: ApplyOptions, connector: DebeziumConnector): Promise<Recapture> {
  await stopConnector(options, connector.name);
  const begun = await options.recapture(connector);
  await placeAt(options.connect, connector, begun.lsn);
  return begun;
}

/** Names of options that differ, or that only one of the two has. */
export function differing(
  is: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): readonly string[] {
  const names = new Set([...Object.keys(is), ...Object.keys(wanted)]);
  // Connect adds the name to what it is given.
  names.delete("name");
  return [...names].filter((name) => is[name] !== wanted[name]).sort();
}

async function untilRunning(options: ApplyOptions, connector: DebeziumConnector): Promise<void> {
  const { connect, pool } = options;
  const { name, slot } = connector;
  await until(options, `Connector ${name} isn't running`, async () => {
    const status = await connect.status(name);
    if (status?.failure !== undefined) throw failed(name, status);
    const runs = status?.state === "RUNNING" && status.tasks.includes("RUNNING");
    return runs && (await readSlots(pool, [slot])).has(slot);
  });
}

function failed(name: string, { failure = "" }: ConnectorStatus): FatalError {
  return new FatalError(
    "connector-failed",
    `Connector ${name} has failed: ${reasonIn(failure)}`,
    "Correct what it names, then apply the connectors again; the worker's log has the whole trace.",
  );
}

/** The causes of a Java stack trace, without the frames. */
export function reasonIn(trace: string): string {
  const [first = "", ...rest] = trace.split("\n").map((line) => line.trim());
  const causes = rest.filter((line) => line.startsWith("Caused by: "));
  return [first, ...causes.map((line) => line.slice("Caused by: ".length))].join(" Cause: ");
}
