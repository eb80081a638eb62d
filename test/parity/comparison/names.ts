import type { RecordedEvent } from "../scenario.ts";
import { isRecord, isTransactionEvent } from "./fields.ts";

/** Names transactions and runs of the connector by their first appearance among the events. */
export function named(events: readonly RecordedEvent[]): RecordedEvent[] {
  const transactions = new Names("transaction");
  const runs = new Names("run");
  return events.map((event) => ({
    ...event,
    value: namedValue(event.value, transactions),
    headers: namedRun(event.headers, runs),
  }));
}

function namedValue(value: unknown, transactions: Names): unknown {
  if (!isRecord(value)) return value;
  if (isTransactionEvent(value)) return { ...value, id: transactions.of(value["id"]) };
  const { source } = value;
  if (!isRecord(source) || source["txId"] === null) return value;
  return { ...value, source: { ...source, txId: transactions.of(source["txId"]) } };
}

function namedRun(headers: RecordedEvent["headers"], runs: Names): RecordedEvent["headers"] {
  const runId = "__debezium.context.runId";
  return runId in headers ? { ...headers, [runId]: runs.of(headers[runId]) } : headers;
}

/** Names values by their first appearance: equal values get equal names. */
export class Names {
  readonly #what: string;
  readonly #known = new Map<unknown, string>();

  constructor(what: string) {
    this.#what = what;
  }

  of(value: unknown): string {
    let name = this.#known.get(value);
    if (name === undefined)
      this.#known.set(value, (name = `${this.#what} ${this.#known.size + 1}`));
    return name;
  }
}
