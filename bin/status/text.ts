import { table } from "../table.ts";
import { buildsLines } from "./builds-text.ts";
import { effectLines } from "./effects-report.ts";
import { etaText, rateText, trendText } from "./progress-text.ts";
import type { WatchedConsumer, WatchedReport } from "./progress.ts";
import type { ConsumerStatus, StatusReport } from "./report.ts";

/** Which consumers' partitions are listed: all, or those of consumers with something wrong. */
export type PartitionsShown = "all" | "troubled";

/** The report for people: a line for each consumer first. */
export function statusText(report: WatchedReport, partitions: PartitionsShown): string {
  const lines = [
    report.running ? "running" : "not running (positions and lag are as they were stored)",
    captureLine(report),
    ...redisLines(report),
    ...holdLine(report),
    "",
    table(headings, report.consumers.map(consumerCells)),
    ...report.consumers.flatMap(reasonLine),
    ...effectLines(report.effects),
    ...buildsLines(report),
    ...report.consumers
      .filter((one) => partitions === "all" || isTroubled(one))
      .flatMap(partitionLines),
  ];
  return lines.join("\n");
}

function captureLine({ capture }: Pick<StatusReport, "capture">): string {
  const lag = capture.lagBytes === null ? "" : `, ${capture.lagBytes} bytes of WAL behind`;
  const reason = capture.reason === null ? "" : `: ${capture.reason}`;
  return `capture ${capture.state}${lag}${reason}`;
}

/** A line for each projection that Redis lacks something of, or one that it lacks nothing. */
function redisLines({ redis }: Pick<StatusReport, "redis">): string[] {
  if (redis === null) return [];
  if (redis.fault !== null) return [`redis unknown: ${redis.fault}`];
  const behind = redis.projections.filter(({ state }) => state !== "current");
  if (behind.length === 0) return ["redis current"];
  return behind.map(({ name, state, partitions, rowsWaiting, reason }) => {
    const lacking = partitions.map(
      ({ partition, lagRecords }) => `${partition} (${lagRecords ?? "not whole"})`,
    );
    const which = lacking.length === 0 ? "" : `, partitions ${lacking.join(", ")}`;
    const waiting = rowsWaiting === null ? "" : `, ${rowsWaiting} rows wait`;
    return `redis ${state} for ${name}${which}${waiting}${reason === null ? "" : `: ${reason}`}`;
  });
}

function holdLine({ hold }: Pick<StatusReport, "hold">): string[] {
  if (!hold) return [];
  return [`held by the import ${hold.by}, whose clock stands at ${hold.clock}`];
}

const headings = [
  "consumer",
  "kind",
  "state",
  "verdict",
  "lag records",
  "trend",
  "lag seconds",
  "records/s",
  "left",
  "dead letters",
];

const consumerCells = (one: WatchedConsumer): string[] => [
  one.name,
  one.kind,
  one.state,
  one.progress.verdict ?? "not known yet",
  String(one.lagRecords),
  trendText(one),
  one.lagSeconds.toFixed(1),
  rateText(one),
  etaText(one),
  one.parkedKeys > 0 ? `${one.deadLetters} (${one.parkedKeys} keys parked)` : `${one.deadLetters}`,
];

function reasonLine(one: ConsumerStatus): string[] {
  const reason = one.reason === null ? [] : [`${one.name}: ${one.reason}`];
  if (one.parkedKeys === 0) return reason;
  const keys = one.parkedKeys === 1 ? "1 key waits" : `${one.parkedKeys} keys wait`;
  return [...reason, `${one.name}: ${keys} behind dead letters; see refold dlq list`];
}

const isTroubled = (one: ConsumerStatus): boolean =>
  one.state === "halted" || one.state === "fenced" || one.reason !== null;

function partitionLines(one: ConsumerStatus): string[] {
  const cells = one.partitions.map((partition) => [
    `${partition.topic}/${partition.partition}`,
    partition.state,
    partition.position ?? "-",
    partition.end,
    String(partition.lagRecords),
    partition.lagSeconds.toFixed(1),
    partition.recordsPerSecond.toFixed(0),
    partition.reason ?? "",
  ]);
  const headings = [one.name, "state", "position", "end", "lag records", "lag seconds"];
  return ["", table([...headings, "records/s", "reason"], cells)];
}
