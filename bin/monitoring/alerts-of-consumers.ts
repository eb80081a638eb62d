import type { Alert } from "./alert.ts";

/** Partitions move between processes, and who has one tells of it: hence max over processes. */
const lagOfPartition = "max by (consumer, partition) (refold_lag_seconds)";
const lagOfConsumer = "max by (consumer) (refold_lag_seconds)";
const owned = "sum by (consumer) (refold_partitions)";
const open = "max by (consumer) (refold_rebuild_open)";
const rebuilt = "max by (consumer) (refold_rebuild_records_done)";

/**
 * On growth and on missing progress. `lag_seconds` is how long the first record that isn't durable
 * has waited: of a partition that stands still it grows by a second each second, and of one that
 * moves by less.
 */
export const consumerAlerts: readonly Alert[] = [
  {
    name: "RefoldConsumerStalled",
    expression:
      `deriv((${lagOfPartition})[5m:30s]) > 0.9 and ` +
      `min_over_time((${lagOfPartition})[5m:30s]) > 0 unless on (consumer) ` +
      `sum by (consumer) (refold_partitions{state="halted"}) > 0`,
    severity: "critical",
    summary: "{{ $labels.consumer }} hasn't moved in {{ $labels.partition }} for 5 minutes",
  },
  {
    name: "RefoldConsumerHalted",
    expression: `sum by (consumer) (refold_partitions{state="halted"}) > 0`,
    for: "1m",
    severity: "critical",
    summary: "{{ $labels.consumer }} has halted {{ $value }} partitions",
  },
  {
    name: "RefoldLagGrows",
    expression:
      `deriv((${lagOfConsumer})[15m:1m]) > 0.05 and ` +
      `min_over_time((${lagOfConsumer})[15m:1m]) > 30`,
    for: "5m",
    severity: "warning",
    summary: "{{ $labels.consumer }} has been falling behind for 15 minutes",
  },
  {
    name: "RefoldPartitionsUnowned",
    expression: `${owned} < max_over_time((${owned})[1h:1m])`,
    for: "5m",
    severity: "critical",
    summary: "Nobody works on some partitions of {{ $labels.consumer }}",
  },
  {
    name: "RefoldNoConsumers",
    expression: "absent(refold_partitions)",
    for: "2m",
    severity: "critical",
    summary: "No process runs processors and projections",
  },
  {
    name: "RefoldHole",
    expression: "sum by (consumer) (increase(refold_holes_total[15m])) > 0",
    severity: "critical",
    summary: "{{ $labels.consumer }} misses events in a lane",
  },
  {
    name: "RefoldWriterFenced",
    expression: "sum by (consumer) (increase(refold_fenced_flushes_total[15m])) > 10",
    severity: "warning",
    summary: "Processes take partitions of {{ $labels.consumer }} from each other",
  },
  {
    name: "RefoldLagUnknown",
    expression: "sum by (instance) (increase(refold_monitor_failures_total[5m])) > 5",
    severity: "warning",
    summary: "{{ $labels.instance }} can't ask the log for its end: the lag it tells is old",
  },
  {
    name: "RefoldStatusUnreported",
    expression: "max by (instance) (refold_status_report_failures) > 10",
    severity: "warning",
    summary: "{{ $labels.instance }} can't report to the status board",
  },
  {
    name: "RefoldRebuildStuck",
    expression: `min_over_time((${open})[15m:1m]) == 1 and delta((${rebuilt})[15m:1m]) == 0`,
    severity: "warning",
    summary: "The rebuild of {{ $labels.consumer }} hasn't folded anything for 15 minutes",
  },
  {
    name: "RefoldGenerationsUnwatched",
    expression: "sum by (instance) (increase(refold_generation_watch_failures_total[10m])) > 10",
    severity: "warning",
    summary: "{{ $labels.instance }} can't see which generations serve",
  },
  {
    name: "RefoldDrift",
    expression: "max by (consumer) (refold_audit_drift_keys) > 0",
    severity: "critical",
    summary: "{{ $value }} rows of {{ $labels.consumer }} aren't what the log gives",
  },
  {
    name: "RefoldSnapshotRefuted",
    expression: "sum by (consumer) (increase(refold_snapshots_refuted_total[1h])) > 0",
    severity: "critical",
    summary: "The log refutes a snapshot of {{ $labels.consumer }}",
  },
  {
    name: "RefoldAuditFails",
    expression: "sum by (consumer) (increase(refold_audit_failures_total[1h])) > 3",
    severity: "warning",
    summary: "{{ $labels.consumer }} isn't audited",
  },
];

export const deadLetterAlerts: readonly Alert[] = [
  {
    name: "RefoldContractBreach",
    expression: "sum by (consumer, cause) (increase(refold_contract_breaches_total[10m])) > 0",
    severity: "critical",
    summary: "{{ $labels.consumer }} sets records aside: {{ $labels.cause }}",
  },
  {
    name: "RefoldRecordsSetAside",
    expression: "sum by (consumer) (increase(refold_dead_letters_total[10m])) > 0",
    severity: "warning",
    summary: "{{ $labels.consumer }} has set records aside",
  },
  {
    name: "RefoldDeadLettersWait",
    expression: "sum by (consumer) (refold_parked_keys) > 0",
    for: "15m",
    severity: "warning",
    summary: "Records of {{ $labels.consumer }} wait behind dead letters",
  },
  {
    name: "RefoldDeadLettersNotPublished",
    expression: "sum(increase(refold_dead_letter_publish_failures_total[10m])) > 5",
    severity: "warning",
    summary: "Dead letters don't get to their topics",
  },
  {
    name: "RefoldDeadLettersUnwatched",
    expression: "sum by (instance) (increase(refold_dead_letter_look_failures_total[10m])) > 10",
    severity: "warning",
    summary: "{{ $labels.instance }} doesn't see what is to be done with dead letters",
  },
];
