import type { Pool } from "pg";

import { FatalError } from "../../engine/errors.ts";
import type { ConnectClient, ConnectorStatus } from "./connect-client.ts";
import type { DebeziumConnector } from "./connectors.ts";
import { prepareSource, readSlots } from "./source-database.ts";
import { type ConnectorWait, stopConnector, until } from "./stopping.ts";

/** `timeoutMs`: until a connector runs; a snapshot goes on afterwards. */
export interface ApplyOptions extends ConnectorWait {
  readonly connect: ConnectClient;
  readonly pool: Pick<Pool, "query">;
  readonly connectors: readonly DebeziumConnector[];
}

export interface AppliedConnector {
  readonly name: string;
  readonly was: "new" | "changed" | "unchanged";
  /** It begins anew: what Connect remembered belonged to a slot that is gone. */
  readonly offsets: "kept" | "forgotten";
}

/**
 * Brings slots, publications and connectors to what is wanted, and waits until the connectors run.
 * Applying the same again changes nothing.
 *
 * @throws FatalError `connector-failed` with the reason of one that doesn't start.
 * @throws TransientError `connector-slow` when one isn't running in time.
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
  // Offsets outlive a connector that is deleted, and a slot that is gone can't go on from them.
  const offsets = slot !== "there" && (await connect.hasOffsets(name)) ? "forgotten" : "kept";
  if (offsets === "forgotten") await forget(options, name);
  if (before !== undefined) await connect.configure(name, config);
  await connect.resume(name);
  const status = await connect.status(name);
  if (before !== undefined && status?.failure !== undefined) await connect.restart(name);
  const was =
    before === undefined ? "new" : differing(before, config).length > 0 ? "changed" : "unchanged";
  return { name, was, offsets };
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

async function forget(options: ApplyOptions, name: string): Promise<void> {
  await stopConnector(options, name);
  await options.connect.forgetOffsets(name);
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
