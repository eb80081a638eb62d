import type { RecordedEvent, Scenario } from "../scenario.ts";
import { isRecord } from "./fields.ts";

/**
 * Leaves out what a heartbeat's statement did: how often it ran between the scenario's own
 * statements is a matter of time.
 */
export function withoutTimed(
  scenario: Scenario,
  events: readonly RecordedEvent[],
): RecordedEvent[] {
  const table = heartbeatTable(scenario);
  if (table === undefined) return [...events];
  const timed = timedTransactions(table, events);
  return events.filter((event) => !timed.has(transactionOf(event)));
}

/** The table that the heartbeat's statement writes to. */
function heartbeatTable({ config }: Scenario): string | undefined {
  const query = config["heartbeat.action.query"] ?? "";
  const named = /\b(?:into|update)\s+(?:([\w]+)\.)?([\w]+)/i.exec(query);
  return named ? `${named[1] ?? "public"}.${named[2]}` : undefined;
}

/** Transactions with nothing but changes of the table, by the names that relations give. */
function timedTransactions(table: string, events: readonly RecordedEvent[]): Set<unknown> {
  const timed = new Set<unknown>();
  const others = new Set<unknown>();
  for (const event of events) {
    const source = isRecord(event.value) ? event.value["source"] : undefined;
    if (!isRecord(source)) continue;
    const ofTable = `${String(source["schema"])}.${String(source["table"])}` === table;
    (ofTable ? timed : others).add(source["txId"]);
  }
  return new Set([...timed].filter((transaction) => !others.has(transaction)));
}

function transactionOf({ value }: RecordedEvent): unknown {
  if (!isRecord(value)) return undefined;
  const { source } = value;
  return isRecord(source)
    ? source["txId"]
    : value["status"] === undefined
      ? undefined
      : value["id"];
}
