import type { RecordedEvent } from "../scenario.ts";
import { isRecord, isTransactionEvent, type Fields } from "./fields.ts";
import { Names } from "./names.ts";
import { withoutRun } from "./raw-text.ts";
import { withNumberedWindows } from "./window-marks.ts";

/**
 * Replaces what differs between two runs of one scenario (times, LSNs, transaction ids) by how it
 * relates to the rest of the same run, so that two runs can be compared for equality. The events
 * must be a whole run's, in order. Ids of transactions stay, for `named`.
 */
export function withRelations(events: readonly RecordedEvent[]): RecordedEvent[] {
  const run = new RunSoFar(commitTimes(events));
  return withNumberedWindows(events).map((event) => {
    const value = isRecord(event.value) ? run.value(event.value) : event.value;
    const isTransaction = isRecord(event.value) && isTransactionEvent(event.value);
    const key = isTransaction ? run.transactionKey(event) : event.key;
    const keyAvro = isTransaction ? null : event.keyAvro;
    return { ...event, ...rawOf(event, keyAvro), key: withoutRun(key), value: withoutRun(value) };
  });
}

/** A key's bytes are compared where they don't differ by the run. */
function rawOf({ key }: RecordedEvent, keyAvro: RecordedEvent["keyAvro"]) {
  const isOfRun = JSON.stringify(withoutRun(key)) !== JSON.stringify(key);
  return { keyAvro: isOfRun ? null : keyAvro, valueAvro: null };
}

/** When each transaction committed, as its rows tell it. */
function commitTimes(events: readonly RecordedEvent[]): Map<unknown, unknown> {
  const times = new Map<unknown, unknown>();
  for (const { value } of events) {
    const source = isRecord(value) ? value["source"] : undefined;
    if (isRecord(source)) times.set(`${source["txId"] as number}`, source["ts_ms"]);
  }
  return times;
}

/** What a reader of the events knows up to one of them. */
class RunSoFar {
  readonly #commitTimes: ReadonlyMap<unknown, unknown>;
  #lsns = new Names("lsn");
  #transaction: unknown;
  #lastCommit: string | undefined;
  #commitBefore: unknown = "none so far";
  #lastLsn = 0n;

  constructor(commitTimes: ReadonlyMap<unknown, unknown>) {
    this.#commitTimes = commitTimes;
  }

  value(value: Fields): Fields {
    if (isTransactionEvent(value)) return this.#transactionEvent(value);
    if (isRecord(value["source"])) return this.#change(value, value["source"]);
    return value;
  }

  transactionKey({ key, value }: RecordedEvent): unknown {
    if (!isRecord(key) || !isRecord(value)) return key;
    return { ...key, id: key["id"] === value["id"] ? "the value's" : "another than the value's" };
  }

  /** BEGIN and END: their id is the transaction's with where it begins, or ends. */
  #transactionEvent(value: Fields): Fields {
    const [transaction = "", lsn = ""] = String(value["id"]).split(":");
    if (value["status"] === "END") this.#lastCommit = lsn;
    const committed = this.#commitTimes.get(transaction);
    return {
      ...value,
      id: transaction,
      ts_ms: value["ts_ms"] === committed ? "of the commit" : "another than of the commit",
      data_collections: sortedCollections(value["data_collections"]),
    };
  }

  #change(value: Fields, source: Fields): Fields {
    return {
      ...value,
      ...timesOf(value),
      source: this.#source(source),
      transaction: isRecord(value["transaction"])
        ? transactionBlock(value["transaction"], source)
        : value["transaction"],
    };
  }

  #source(source: Fields): Fields {
    const { txId, lsn, sequence } = source;
    if (txId !== this.#transaction) this.#lsns = new Names("lsn");
    this.#transaction = txId;
    return {
      ...source,
      ...timesOf(source),
      version: "a version",
      txId: typeof txId === "number" ? `${txId}` : txId,
      lsn: lsn === null ? null : this.#lsns.of(lsn),
      xmin: source["xmin"] === null ? null : "a transaction",
      sequence: this.#sequence(sequence, lsn),
    };
  }

  /** `[commit LSN of the transaction before, LSN]`; the first is null at the very beginning. */
  #sequence(sequence: unknown, lsn: unknown): unknown {
    if (typeof sequence !== "string") return sequence;
    const [before, own] = JSON.parse(sequence) as readonly (string | null)[];
    const relation = this.#commitRelation(before ?? null);
    this.#commitBefore = before;
    return [relation, own === String(lsn) ? "the lsn" : "another than the lsn"];
  }

  #commitRelation(before: string | null): string | null {
    if (before === null) return null;
    const known = this.#lastCommit;
    if (known !== undefined && before !== known) return "another than the last END's";
    if (before === this.#commitBefore) return "as before";
    const risen = BigInt(before) > this.#lastLsn;
    this.#lastLsn = BigInt(before);
    return risen ? "risen" : "fallen";
  }
}

/** `ts_ms`, `ts_us` and `ts_ns` are one time in three units. */
function timesOf(value: Fields): Fields {
  const { ts_ms: ms, ts_us: us, ts_ns: ns } = value;
  const told: Record<string, unknown> = {};
  if ("ts_ms" in value) told["ts_ms"] = ms === null ? null : "a time";
  if ("ts_us" in value) told["ts_us"] = us === null ? null : unitOf(us, ms);
  if ("ts_ns" in value) told["ts_ns"] = ns === null ? null : unitOf(ns, us);
  return told;
}

function unitOf(finer: unknown, coarser: unknown): string {
  const same = BigInt(String(finer)) / 1_000n === BigInt(String(coarser));
  return same ? "the same time" : "another time";
}

function transactionBlock(block: Fields, source: Fields): Fields {
  const own = `${String(source["txId"])}:${String(source["lsn"])}`;
  return { ...block, id: block["id"] === own ? "own" : "another" };
}

/**
 * Their order differs from run to run, and so does what Java appends to the name of the collection
 * that logical messages count to, the hash of an object.
 */
function sortedCollections(collections: unknown): unknown {
  if (!Array.isArray(collections)) return collections;
  const told = collections.map((one) => JSON.stringify(one));
  return told.map((one) => one.replace(/(MessageId@)[0-9a-f]+/, "$1a hash")).toSorted();
}
