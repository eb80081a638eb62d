import { expect, test } from "vitest";

import type { RecordedEvent, Scenario } from "../scenario.ts";
import { differences, type ToldRun } from "./compare.ts";
import { differenceText } from "./difference.ts";

/** One transaction with an insert and a delete, as a run with these LSNs and times tells it. */
function told(run: { readonly lsn: number; readonly transaction: number; readonly ms: number }) {
  const { lsn, transaction, ms } = run;
  const events: RecordedEvent[] = [
    boundary({ seq: 1, status: "BEGIN", id: `${transaction}:${lsn}`, ms }),
    change({ seq: 2, op: "c", lsn, transaction, ms, order: 1 }),
    change({ seq: 3, op: "d", lsn: lsn + 64, transaction, ms, order: 2 }),
    { ...change({ seq: 4, op: "d", lsn, transaction, ms, order: 2 }), ...tombstone },
    boundary({ seq: 5, status: "END", id: `${transaction}:${lsn + 128}`, ms }),
  ];
  const schemas = { 1: { type: "string" }, 2: { type: "long" } };
  return { events, schemas, sqlErrors: [] } satisfies ToldRun;
}

const tombstone = { value: null, valueSchema: null, valueAvro: null };

function boundary({
  seq,
  status,
  id,
  ms,
}: {
  seq: number;
  status: string;
  id: string;
  ms: number;
}) {
  const value = { status, id, event_count: null, data_collections: null, ts_ms: ms };
  return event({ seq, topic: "x.transaction", key: { id }, value, headers: {} });
}

interface Change {
  readonly seq: number;
  readonly op: string;
  readonly lsn: number;
  readonly transaction: number;
  readonly ms: number;
  readonly order: number;
}

function change({ seq, op, lsn, transaction, ms, order }: Change): RecordedEvent {
  const times = { ts_ms: ms, ts_us: ms * 1_000 + 7, ts_ns: `${ms * 1_000 + 7}011` };
  const value = {
    before: null,
    after: { id: 1, v: "x" },
    source: {
      version: "1",
      ...times,
      sequence: `[null,"${lsn}"]`,
      txId: transaction,
      lsn,
      xmin: null,
    },
    transaction: { id: `${transaction}:${lsn}`, total_order: order, data_collection_order: order },
    op,
    ...times,
  };
  const headers = { "__debezium.context.taskId": "0", "__debezium.context.runId": `run of ${ms}` };
  return event({ seq, topic: "x.public.t", key: { id: 1 }, value, headers });
}

function event(
  given: Pick<RecordedEvent, "seq" | "topic" | "key" | "value" | "headers">,
): RecordedEvent {
  return { ...given, keySchema: 1, valueSchema: 2, keyAvro: "Ag==", valueAvro: "AA==" };
}

const recorded: Scenario = {
  name: "x",
  ddl: [],
  dml: [],
  config: {},
  ...told({ lsn: 1_000, transaction: 7, ms: 1_795_220_983_163 }),
};

const another = { lsn: 52_000, transaction: 70, ms: 1_895_220_983_163 };

test("two runs with other times, LSNs and transaction ids are equal", () => {
  expect(differences(recorded, told(another))).toEqual([]);
});

type Draft = { -readonly [Name in keyof RecordedEvent]: RecordedEvent[Name] };

/** Our run with one thing changed. */
function changed(index: number, change: (event: Draft) => void): string[] {
  const run = told(another);
  const draft: Draft = structuredClone(run.events[index] ?? run.events[0]) as Draft;
  change(draft);
  const events = run.events.with(index, draft);
  return differences(recorded, { ...run, events }).map(differenceText);
}

interface Value {
  after: Record<string, unknown>;
  source: Record<string, unknown>;
  transaction: Record<string, unknown>;
  op: string;
  ts_us: number;
}

const valueOf = (event: Draft): Value => event.value as Value;

test.each<[string, number, (event: Draft) => void]>([
  ["a topic", 1, (event) => (event.topic = "x.public.u")],
  ["a key", 1, (event) => (event.key = { id: 2 })],
  ["the key's bytes", 1, (event) => (event.keyAvro = "Ah==")],
  ["a key's schema", 1, (event) => (event.keySchema = 2)],
  ["a value's schema", 1, (event) => (event.valueSchema = 1)],
  ["a missing schema", 1, (event) => (event.valueSchema = null)],
  ["a column", 1, (event) => (valueOf(event).after = { id: 1, v: "y" })],
  ["the order of columns", 1, (event) => (valueOf(event).after = { v: "x", id: 1 })],
  ["an added column", 1, (event) => (valueOf(event).after = { id: 1, v: "x", w: null })],
  ["an operation", 1, (event) => (valueOf(event).op = "u")],
  ["the order in a transaction", 1, (event) => (valueOf(event).transaction["total_order"] = 2)],
  ["a transaction's id", 1, (event) => (valueOf(event).transaction["id"] = "70:1")],
  ["another transaction", 2, (event) => (valueOf(event).source["txId"] = 71)],
  ["an LSN that is not its own", 2, (event) => (valueOf(event).source["lsn"] = 52_000)],
  [
    "a commit before the first",
    1,
    (event) => (valueOf(event).source["sequence"] = '["9","52000"]'),
  ],
  ["units of time that differ", 1, (event) => (valueOf(event).ts_us += 1_000_000)],
  ["a value in place of a tombstone", 3, (event) => (event.value = {})],
  ["a header", 1, (event) => (event.headers = { ...event.headers, more: "x" })],
  ["the order of headers", 1, (event) => (event.headers = reversed(event.headers))],
  ["another run's id", 2, (event) => (event.headers = { ...event.headers, ...otherRun })],
  ["another status", 4, (event) => ((event.value as { status: string }).status = "BEGIN")],
  ["a commit time that is another's", 4, (event) => ((event.value as { ts_ms: number }).ts_ms = 1)],
])("%s is a difference", (_, index, change) => {
  expect(changed(index, change)).not.toEqual([]);
});

const otherRun = { "__debezium.context.runId": "another" };

function reversed(headers: RecordedEvent["headers"]): RecordedEvent["headers"] {
  return Object.fromEntries(Object.entries(headers).toReversed());
}

test("a missing event, a surplus one and two in another order are differences", () => {
  const run = told(another);
  const { events } = run;
  const [begin, create, remove, ...rest] = events as [RecordedEvent, RecordedEvent, RecordedEvent];
  const others = [events.slice(1), [...events, create], [begin, remove, create, ...rest]];
  for (const other of others) {
    expect(differences(recorded, { ...run, events: other })).not.toEqual([]);
  }
});

test("a change of a schema's attribute or of their order is a difference", () => {
  const run = told(another);
  const schema = { type: "long", doc: "x" };
  expect(differences(recorded, { ...run, schemas: { ...run.schemas, 2: schema } })).not.toEqual([]);
});

test("fields of a schema are compared by name, and by their order", () => {
  const record = (...names: string[]): object => ({
    type: "record",
    fields: names.map((name) => ({ name, type: "int" })),
  });
  const compared = (one: object, other: object): string[] => {
    const run = told(another);
    const ours = { ...run, schemas: { ...run.schemas, 2: other } };
    const schemas = { ...recorded.schemas, 2: one };
    return differences({ ...recorded, schemas }, ours).map(({ path }) => path);
  };
  const paths = compared(record("a", "b", "c"), record("b", "c"));
  expect(new Set(paths)).toEqual(new Set(["valueSchema.fields[a]"]));
  expect(compared(record("a", "b"), record("b", "a"))[0]).toBe("valueSchema.fields (order)");
});

test("a statement that only one server refuses is a difference", () => {
  const sqlErrors = [{ statement: "x", sqlstate: "23505", message: "no" }];
  expect(differences(recorded, { ...told(another), sqlErrors })).toHaveLength(1);
});

test("a halt is a difference unless the connector stopped too", () => {
  const run = { ...told(another), failure: { code: "value-unsupported", message: "no" } };
  expect(differences(recorded, run)).toHaveLength(1);
  expect(differences({ ...recorded, connectorFailed: "an exception" }, run)).toEqual([]);
});
