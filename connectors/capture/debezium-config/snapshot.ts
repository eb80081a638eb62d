import type { SignalTable, SnapshotPlan } from "../server/snapshot-plan.ts";
import { splitList, type ConfigReader } from "./config-reader.ts";

export function snapshotOf(config: ConfigReader): SnapshotPlan {
  const modes = ["initial", "initial_only", "always", "no_data", "never", "when_needed"] as const;
  const mode = config.oneOf("snapshot.mode", modes, "initial");
  return {
    mode: mode === "never" ? "no_data" : mode,
    added: "untold",
    include: config.patterns("snapshot.include.collection.list"),
    selects: selectsOf(config),
  };
}

export function signalsOf(config: ConfigReader): SignalTable | undefined {
  const table = config.text("signal.data.collection");
  config.oneOf("signal.enabled.channels", ["source"], "source");
  const chunkRows = config.count("incremental.snapshot.chunk.size", 1_024);
  const watermarks = config.oneOf(
    "incremental.snapshot.watermarking.strategy",
    ["insert_insert", "insert_delete"],
    "insert_insert",
  );
  return table === undefined ? undefined : { table, chunkRows, watermarks };
}

/** The list names tables; the statement of each has an option of its own. */
function selectsOf(config: ConfigReader): SnapshotPlan["selects"] {
  const name = "snapshot.select.statement.overrides";
  const tables = splitList(config.textOr(name, ""));
  const selects: Record<string, string> = {};
  for (const table of tables) {
    const select = config.text(`${name}.${table}`);
    if (select === undefined) config.fault(`${name} names ${table} without a statement`);
    else selects[table] = select;
  }
  return selects;
}
