import type { Lsn } from "../../engine/position.ts";
import type { ConnectClient } from "./connect-client.ts";
import type { DebeziumConnector } from "./connectors.ts";
import type { SlotFacts } from "./source-database.ts";

/** What of a connector's offset are LSNs: of what it has read, and of commits among that. */
const lsnFields = ["lsn", "lsn_proc", "lsn_commit"] as const;

/** Up to which LSN a connector has published, as Connect remembers it; undefined: it doesn't. */
export async function publishedLsn(
  connect: Pick<ConnectClient, "offsets">,
  { name }: Pick<DebeziumConnector, "name">,
): Promise<number | undefined> {
  const lsns = (await connect.offsets(name)).flatMap(({ offset }) =>
    lsnFields.map((field) => offset[field]).filter((value) => typeof value === "number"),
  );
  return lsns.length === 0 ? undefined : Math.max(...lsns);
}

/** Where a connector is to go on. */
export interface ConnectorPlace {
  /** What committed before it is published already. */
  readonly lsn: Lsn;
  /** Where the commit before it ends: the number that the next transaction's changes carry. */
  readonly commitLsn: Lsn;
}

/** Lets a stopped connector go on from there, without a snapshot. */
export function placeAt(
  connect: Pick<ConnectClient, "setOffsets">,
  { name, config }: Pick<DebeziumConnector, "name" | "config">,
  place: ConnectorPlace,
): Promise<void> {
  const [lsn, commit] = [Number(place.lsn), Number(place.commitLsn)];
  return connect.setOffsets(name, [
    {
      partition: { server: config["topic.prefix"] },
      offset: { lsn, lsn_proc: lsn, lsn_commit: commit },
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
