import type { Lsn } from "../../engine/position.ts";
import type { ConnectClient } from "./connect-client.ts";
import type { DebeziumConnector } from "./connectors.ts";
import type { SlotFacts } from "./source-database.ts";

/**
 * What committed before this LSN the connector has published, as Connect remembers it; undefined: it
 * doesn't. What it has read beyond may be a part of a transaction.
 */
export async function publishedLsn(
  connect: Pick<ConnectClient, "offsets">,
  { name }: Pick<DebeziumConnector, "name">,
): Promise<number | undefined> {
  for (const { offset } of await connect.offsets(name)) {
    const lsn = offset["lsn_commit"] ?? offset["lsn_proc"];
    if (typeof lsn === "number") return lsn;
  }
  return undefined;
}

/**
 * Lets a stopped connector go on from an LSN, without a snapshot: all that committed before it is
 * published. It is the number, too, that the changes of the next transaction carry.
 */
export function placeAt(
  connect: Pick<ConnectClient, "setOffsets">,
  { name, config }: Pick<DebeziumConnector, "name" | "config">,
  at: Lsn,
): Promise<void> {
  const lsn = Number(at);
  return connect.setOffsets(name, [
    {
      partition: { server: config["topic.prefix"] },
      offset: { lsn, lsn_proc: lsn, lsn_commit: lsn },
    },
  ]);
}

/** Why a connector can't go on from what Connect remembers of it. */
export type PlaceFault = "never-ran" | "slot-missing" | "slot-lost" | "slot-replaced";

/**
 * Whether the slot still has what follows the published LSN. One that was dropped and made anew, or
 * advanced, stands beyond that: Connect keeps an offset before Debezium confirms it to the server.
 * So the slot has to be read first.
 */
export function placeFault(
  slot: SlotFacts | undefined,
  published: number | undefined,
): PlaceFault | undefined {
  if (published === undefined) return "never-ran";
  if (slot === undefined) return "slot-missing";
  if (slot.walStatus === "lost" || slot.confirmedLsn === undefined) return "slot-lost";
  return slot.confirmedLsn > published ? "slot-replaced" : undefined;
}
