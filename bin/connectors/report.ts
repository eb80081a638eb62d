import type { Pool } from "pg";

import {
  differing,
  placeFault,
  publishedLsn,
  readSlots,
  reasonIn,
  type ConnectClient,
  type DebeziumConnector,
  type PlaceFault,
  type SlotFacts,
} from "../../connectors/debezium/index.ts";

export interface ConnectorSources {
  readonly connect: ConnectClient;
  readonly pool: Pick<Pool, "query">;
  readonly connectors: readonly DebeziumConnector[];
}

/** How one connector stands. */
export interface ConnectorReport {
  readonly name: string;
  /** As Connect says: `RUNNING`, `PAUSED`, ...; `FAILED` when a task has; `absent`. */
  readonly state: string;
  readonly slot: string;
  /** Write-ahead log that the server keeps for it; undefined where there is no slot. */
  readonly keptBytes: number | undefined;
  /** What isn't as it should be, each with what to do. */
  readonly faults: readonly string[];
}

/** Looks at the connectors and at their slots; changes nothing. */
export async function readConnectors(
  sources: ConnectorSources,
): Promise<readonly ConnectorReport[]> {
  const { connectors, pool } = sources;
  const slots = await readSlots(
    pool,
    connectors.map(({ slot }) => slot),
  );
  return Promise.all(
    connectors.map((connector) => readOne(sources.connect, connector, slots.get(connector.slot))),
  );
}

async function readOne(
  connect: ConnectClient,
  connector: DebeziumConnector,
  slot: SlotFacts | undefined,
): Promise<ConnectorReport> {
  const [status, config, published] = await Promise.all([
    connect.status(connector.name),
    connect.config(connector.name),
    publishedLsn(connect, connector),
  ]);
  const faults: string[] = [];
  const failure = status?.failure;
  if (status === undefined) faults.push("It isn't there: run refold connectors apply.");
  else if (failure !== undefined) {
    faults.push(
      `It has failed: ${reasonIn(failure)} Correct that, then run refold connectors apply.`,
    );
  } else if (status.state !== "RUNNING" || !status.tasks.includes("RUNNING")) {
    faults.push(`It doesn't run (${status.state}): run refold connectors apply.`);
  }
  const others = config === undefined ? [] : differing(config, connector.config);
  if (others.length > 0) {
    faults.push(`Options differ: ${others.join(", ")}. Run refold connectors apply.`);
  }
  faults.push(...slotFaults(slot, published));
  return {
    name: connector.name,
    state: failure === undefined ? (status?.state ?? "absent") : "FAILED",
    slot: connector.slot,
    keptBytes: slot?.keptBytes,
    faults,
  };
}

const remedies: Readonly<Record<PlaceFault, string>> = {
  "never-ran": "It has never published anything",
  "slot-missing": "Its slot isn't there",
  "slot-lost": "Its slot is lost",
  "slot-replaced":
    "Its slot stands beyond what is published: somebody dropped it and made it anew, or advanced it",
};

function slotFaults(slot: SlotFacts | undefined, published: number | undefined): string[] {
  const fault = placeFault(slot, published);
  if (fault !== undefined) {
    return [`${remedies[fault]}: run refold connectors apply, which publishes what the log lacks.`];
  }
  if (slot?.active !== true) return ["Nobody reads its slot, so the write-ahead log piles up."];
  return [];
}
