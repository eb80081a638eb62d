import type { Pool } from "pg";

import {
  differing,
  readSlots,
  reasonIn,
  type ConnectClient,
  type DebeziumConnector,
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
  const [status, config] = await Promise.all([
    connect.status(connector.name),
    connect.config(connector.name),
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
  faults.push(...slotFaults(slot));
  return {
    name: connector.name,
    state: failure === undefined ? (status?.state ?? "absent") : "FAILED",
    slot: connector.slot,
    keptBytes: slot?.keptBytes,
    faults,
  };
}

function slotFaults(slot: SlotFacts | undefined): string[] {
  if (slot === undefined) return ["Its slot isn't there: run refold connectors apply."];
  if (slot.walStatus === "lost") {
    const drop = `select pg_drop_replication_slot('${slot.slot}')`;
    return [`Its slot is lost: ${drop}, then run refold connectors apply.`];
  }
  if (!slot.active) return ["Nobody reads its slot, so the write-ahead log piles up."];
  return [];
}
