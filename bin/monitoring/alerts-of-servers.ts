import type { Alert } from "./alert.ts";

const captureLag = "max(refold_capture_lag_seconds)";
const retained = "max by (slot) (refold_slot_retained_bytes)";

export const captureAlerts: readonly Alert[] = [
  {
    name: "RefoldCaptureStalled",
    expression: `deriv((${captureLag})[5m:30s]) > 0.9 and min_over_time((${captureLag})[5m:30s]) > 0`,
    severity: "critical",
    summary: "The capture hasn't published anything for 5 minutes, and there is something",
  },
  {
    name: "RefoldSlotUnread",
    expression: "max by (slot) (refold_slot_active) == 0",
    for: "2m",
    severity: "critical",
    summary: "Nobody reads the replication slot {{ $labels.slot }}",
  },
  {
    name: "RefoldSlotLost",
    expression: "max by (slot) (refold_slot_lost) > 0",
    severity: "critical",
    summary: "The replication slot {{ $labels.slot }} has lost changes",
  },
  {
    name: "RefoldSlotRetainsLog",
    expression: `deriv((${retained})[30m:1m]) > 0 and min_over_time((${retained})[30m:1m]) > 1e9`,
    severity: "warning",
    summary: "The slot {{ $labels.slot }} makes the server keep more and more write-ahead log",
  },
];

export const storeAlerts: readonly Alert[] = [
  {
    name: "RefoldDiskFull",
    expression: "max by (instance) (refold_disk_full) > 0",
    severity: "critical",
    summary: "The data folder's disk is full: commands are refused",
  },
  {
    name: "RefoldDiskFillsUp",
    expression: "predict_linear(refold_disk_free_bytes[1h], 4 * 3600) < 0",
    for: "15m",
    severity: "warning",
    summary: "The data folder's disk will be full within 4 hours",
  },
  {
    name: "RefoldRedisBehind",
    expression: "max by (consumer) (refold_redis_partitions_behind) > 0",
    for: "10m",
    severity: "warning",
    summary: "Redis lacks partitions of {{ $labels.consumer }}; Postgres answers meanwhile",
  },
  {
    name: "RefoldGroupOffsetsStand",
    expression:
      `sum(increase(refold_log_group_commits_total{outcome="failed"}[10m])) > 10 ` +
      `unless sum(increase(refold_log_group_commits_total{outcome="committed"}[10m])) > 0`,
    severity: "warning",
    summary: "Kafka's consumer groups aren't told how far Refold is: autoscalers see an old lag",
  },
];

const answers = "refold_http_request_seconds_count";

/** Being overloaded has an alert of its own, which waits longer: it ends by itself. */
const refusedWrites = 'refold_http_problems_total{status="503",method!="GET",code!="overloaded"}';

export const processAlerts: readonly Alert[] = [
  {
    name: "RefoldProcessDown",
    expression: `up{job="refold"} == 0`,
    for: "2m",
    severity: "critical",
    summary: "{{ $labels.instance }} doesn't answer Prometheus",
  },
  {
    name: "RefoldEventLoopDelayed",
    expression: "refold_nodejs_eventloop_lag_p99_seconds > 0.5",
    for: "5m",
    severity: "warning",
    summary: "{{ $labels.instance }} is busy for half a second at a time",
  },
  {
    name: "RefoldRequestsFail",
    expression:
      `sum(rate(${answers}{status=~"5.."}[5m])) / sum(rate(${answers}[5m])) > 0.05 and ` +
      `sum(increase(${answers}{status=~"5.."}[5m])) > 20`,
    for: "2m",
    severity: "critical",
    summary: "{{ $value | humanizePercentage }} of all requests fail",
  },
  {
    name: "RefoldSessionsStale",
    expression: "refold_session_view_age_seconds > 1",
    for: "30s",
    severity: "critical",
    summary:
      "{{ $labels.instance }} knows no session's end of the last {{ $value | humanizeDuration }}, " +
      "and refuses writes",
  },
  {
    name: "RefoldWritesRefused",
    expression:
      `sum by (route, code) (increase(${refusedWrites}[5m])) > 20 and ` +
      `sum by (route, code) (increase(${refusedWrites}[1m])) > 0`,
    severity: "critical",
    summary: "{{ $labels.route }} refuses commands with 503 {{ $labels.code }}",
  },
  {
    name: "RefoldOverloaded",
    expression: "sum by (priority) (rate(refold_requests_refused_total[5m])) > 1",
    for: "5m",
    severity: "warning",
    summary: "More requests of the kind {{ $labels.priority }} come than can be answered in time",
  },
];
