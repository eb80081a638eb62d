import type { Heartbeat, StreamShape } from "../routing/stream-shape.ts";
import { splitList, type ConfigReader } from "./config-reader.ts";

/** The options on the stream, with Debezium's defaults: truncates are left out, say. */
export function streamOf(config: ConfigReader, partitions: number): StreamShape {
  return {
    transactions: config.flag("provide.transaction.metadata", false) ? "told" : "untold",
    transactionTopic: config.textOr("topic.transaction", "transaction"),
    partitions,
    tombstones: config.flag("tombstones.on.delete", true) ? "written" : "left-out",
    skipped: skippedOperations(config),
    publishes: config.text("skipped.operations") === undefined ? "all" : "unskipped",
    unchanged: config.flag("skip.messages.without.change", false) ? "left-out" : "written",
    contextHeaders: config.flag("extended.headers.enabled", true) ? "written" : "left-out",
    heartbeat: heartbeatOf(config),
    messages: messagesOf(config),
    partitionsAs: config.flag("publish.via.partition.root", false) ? "root" : "partitions",
  };
}

function skippedOperations(config: ConfigReader): StreamShape["skipped"] {
  const name = "skipped.operations";
  const letters = splitList(config.textOr(name, "t"));
  if (letters.length === 1 && letters[0] === "none") return new Set();
  const known = letters.filter((letter) => isOperation(letter));
  if (known.length < letters.length) config.fault(`${name}=${letters.join(",")}`);
  return new Set(known);
}

function isOperation(letter: string): letter is "c" | "u" | "d" | "t" {
  return ["c", "u", "d", "t"].includes(letter);
}

function heartbeatOf(config: ConfigReader): Heartbeat | undefined {
  const intervalMs = config.count("heartbeat.interval.ms", 0);
  const topicPrefix = config.textOr("topic.heartbeat.prefix", "__debezium-heartbeat");
  const actionQuery = config.text("heartbeat.action.query");
  if (intervalMs === 0) return undefined;
  return { intervalMs, topicPrefix, ...(actionQuery === undefined ? {} : { actionQuery }) };
}

function messagesOf(config: ConfigReader): StreamShape["messages"] {
  const include = config.patterns("message.prefix.include.list");
  const exclude = config.patterns("message.prefix.exclude.list");
  return { ...(include ? { include } : {}), ...(exclude ? { exclude } : {}) };
}
