import type { CustomPanel, Dashboard } from "./dashboard.ts";

const lagSeconds: CustomPanel = {
  title: "Lag in seconds, by consumer",
  about: "How long the first record that is not durable has waited, in the worst partition.",
  unit: "s",
  kind: "timeseries",
  expressions: [{ expression: "max by (consumer) (refold_lag_seconds)", legend: "{{consumer}}" }],
};

const lagGrowth: CustomPanel = {
  title: "Growth of the lag",
  about: "Seconds of lag per second: 1 stands still, below 0 catches up.",
  unit: "short",
  least: -1,
  kind: "timeseries",
  expressions: [
    {
      expression: "deriv((max by (consumer) (refold_lag_seconds))[5m:30s])",
      legend: "{{consumer}}",
    },
  ],
};

const troubled: CustomPanel = {
  title: "Halted partitions",
  about: "Partitions that have stopped themselves; refold status says why.",
  unit: "short",
  kind: "stat",
  expressions: [{ expression: `sum(refold_partitions{state="halted"})`, legend: "halted" }],
};

const failing: CustomPanel = {
  title: "Requests that fail",
  about: "Share of answers with a status of 500 or more.",
  unit: "percentunit",
  kind: "stat",
  expressions: [
    {
      expression:
        `sum(rate(refold_http_request_seconds_count{status=~"5.."}[$__rate_interval])) / ` +
        "sum(rate(refold_http_request_seconds_count[$__rate_interval]))",
      legend: "failing",
    },
  ],
};

const requests: CustomPanel = {
  title: "Requests",
  about: "Answers, by route and status.",
  unit: "ops",
  kind: "timeseries",
  expressions: [
    {
      expression:
        "sum by (route, method, status) (rate(refold_http_request_seconds_count[$__rate_interval]))",
      legend: "{{method}} {{route}} {{status}}",
    },
  ],
};

const busy: CustomPanel = {
  title: "Event loop, p99",
  about: "How long a process was busy at a time; above 0.1 s requests are felt to wait.",
  unit: "s",
  kind: "timeseries",
  expressions: [{ expression: "refold_nodejs_eventloop_lag_p99_seconds", legend: "{{instance}}" }],
};

const processors: CustomPanel = {
  title: "Processor time",
  about: "Cores that each process uses.",
  unit: "short",
  kind: "timeseries",
  expressions: [
    {
      expression: "rate(refold_process_cpu_seconds_total[$__rate_interval])",
      legend: "{{instance}}",
    },
  ],
};

const memory: CustomPanel = {
  title: "Memory",
  about: "Resident memory of each process.",
  unit: "bytes",
  kind: "timeseries",
  expressions: [{ expression: "refold_process_resident_memory_bytes", legend: "{{instance}}" }],
};

const rebuildShare: CustomPanel = {
  title: "Folded, of what is to be folded",
  about: "How far open rebuilds are.",
  unit: "percentunit",
  kind: "timeseries",
  expressions: [
    {
      expression:
        "max by (consumer) (refold_rebuild_records_done) / " +
        "(max by (consumer) (refold_rebuild_records) > 0)",
      legend: "{{consumer}}",
    },
  ],
};

/** Together they show every metric of the catalogue at least once. */
export const dashboards: readonly Dashboard[] = [
  {
    uid: "refold-overview",
    title: "Refold: overview",
    about: "Does it keep up, does it answer, and does anything need somebody?",
    rows: [
      { title: "At a glance", panels: [troubled, failing, "dead_letters_open", "build_info"] },
      { title: "Keeping up", panels: [lagSeconds, "records_applied_total", "freshness_seconds"] },
      { title: "Processes", panels: [busy, processors, memory, "status_report_failures"] },
    ],
  },
  {
    uid: "refold-consumers",
    title: "Refold: consumers",
    about: "Which consumer is behind in which partition, why, and does it move?",
    rows: [
      { title: "Lag", panels: ["lag_records", "lag_seconds", lagGrowth, "partitions"] },
      {
        title: "Flushes",
        panels: ["flush_seconds", "batch_records", "decode_seconds", "duplicates_dropped_total"],
      },
      {
        title: "Trouble",
        panels: [
          "holes_total",
          "retries_total",
          "recoveries_total",
          "fenced_flushes_total",
          "refusals_left_total",
          "monitor_failures_total",
        ],
      },
      {
        title: "Dead letters",
        panels: [
          "dead_letters_total",
          "contract_breaches_total",
          "parked_keys",
          "dead_letters_published_total",
          "dead_letter_publish_failures_total",
          "dead_letter_look_failures_total",
        ],
      },
      {
        title: "Redis",
        panels: [
          "redis_rows_waiting",
          "redis_partitions_behind",
          "redis_fills_total",
          "redis_failures_total",
          "redis_answers_total",
          "redis_fallbacks_total",
        ],
      },
    ],
  },
  {
    uid: "refold-commands",
    title: "Refold: commands and HTTP",
    about: "What is asked for, how long does it take, and what becomes of it?",
    rows: [
      { title: "HTTP", panels: [requests, "http_request_seconds", failing, "http_problems_total"] },
      { title: "Refused for load", panels: ["requests_refused_total", "requests_limit"] },
      {
        title: "Commands",
        panels: [
          "commands_total",
          "sign_ins_total",
          "session_view_age_seconds",
          "append_seconds",
          "append_conflicts_total",
          "events_appended_total",
        ],
      },
    ],
  },
  {
    uid: "refold-payments",
    title: "Refold: payments and sagas",
    about: "Do calls of the outside world and deadlines happen, and when?",
    rows: [
      {
        title: "Effects",
        panels: [
          "effects_total",
          "effect_seconds",
          "effects_open",
          "effect_oldest_seconds",
          "effect_ledger_failures_total",
        ],
      },
      {
        title: "Deadlines",
        panels: ["deadlines_passed_total", "deadline_delay_seconds", "deadline_failures_total"],
      },
    ],
  },
  {
    uid: "refold-capture",
    title: "Refold: capture and log",
    about: "Does everything that commits get into the log, and what does the server keep for it?",
    rows: [
      {
        title: "Capture",
        panels: ["capture_lag_seconds", "capture_lag_bytes", "capture_changes_total"],
      },
      { title: "Slots", panels: ["slot_active", "slot_lost", "slot_retained_bytes"] },
      {
        title: "Log",
        panels: [
          "log_fetch_retries_total",
          "log_append_retries_total",
          "log_group_commits_total",
          "log_listener_losses_total",
        ],
      },
      { title: "Disk", panels: ["disk_free_bytes", "disk_full"] },
    ],
  },
  {
    uid: "refold-rebuilds",
    title: "Refold: rebuilds and audits",
    about:
      "How far are rebuilds, which generations serve, and is what is stored what the log gives?",
    rows: [
      {
        title: "Rebuilds",
        panels: [
          rebuildShare,
          "rebuild_open",
          "rebuild_records",
          "rebuild_records_done",
          "rebuild_records_per_second",
          "rebuild_throttled_seconds",
          "hold_seconds",
        ],
      },
      {
        title: "Generations",
        panels: [
          "serving_generation",
          "serving_version",
          "generations",
          "generation_watch_failures_total",
        ],
      },
      {
        title: "Audits and snapshots",
        panels: [
          "audit_checked_rows_total",
          "audit_checked_keys_total",
          "audit_drift_keys",
          "audit_drift_buckets",
          "audit_failures_total",
          "heals_total",
          "snapshots_audited_total",
          "snapshots_refuted_total",
          "snapshot_failures_total",
        ],
      },
    ],
  },
];
