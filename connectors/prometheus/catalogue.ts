/** What a metric is; its name stands in the catalogue without the prefix. */
export interface MetricDefinition {
  readonly kind: "counter" | "gauge" | "histogram";
  /** One sentence, shown to whoever scrapes. */
  readonly help: string;
  /** Their values come from closed sets: see `labelMeanings`. */
  readonly labels: readonly MetricLabel[];
  /** Upper bounds of a histogram's buckets; default: from half a millisecond to half a minute. */
  readonly buckets?: readonly number[];
}

export type MetricCatalogue = Readonly<Record<string, MetricDefinition>>;

/** Where the values of each label come from. */
export const labelMeanings = {
  consumer:
    "name of a projection or processor; `~kept` behind it: generations kept current for an undo",
  partition: "`topic/partition` of a topic that a consumer reads",
  state:
    "state of a task's partition: assigned, running, draining, halted, fenced; of an effect: " +
    "requested, started, failed",
  outcome:
    "what became of a command: appended, refused, conflict; of a heal: sound, healed, failed; of " +
    "a try at an effect: done, postponed, failed, left; of an attempt to sign in: accepted, refused, " +
    "limited",
  kind: "kind of effect on the outside world",
  name: "name of a kind of deadline",
  cause: "why a record was set aside: unframed, schema-unknown, schema-incompatible, decode, ...",
  route: "route as it is declared, never the path that was asked for; `unknown` for none",
  method: "HTTP method",
  status: "HTTP status",
  code: "code of a problem: see `docs/http.md`",
  priority:
    "what a request is for: read; begin (a command such as a registration); finish (one that goes " +
    "on with what has begun or ends it)",
  slot: "name of a replication slot that feeds the log",
  disk: "`data-folder`: the file system that the data folder is on",
  version: "version of Refold",
  node: "version of Node",
} as const;

export type MetricLabel = keyof typeof labelMeanings;

/** Seconds: from half a millisecond to half a minute. */
export const secondsBuckets = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;

const recordBuckets = [1, 10, 50, 100, 500, 1_000, 2_500, 5_000, 10_000, 20_000] as const;

type Rest = Omit<MetricDefinition, "kind" | "help">;
const counter = (help: string, rest: Partial<Rest> = {}): MetricDefinition => ({
  kind: "counter",
  help,
  labels: ["consumer"],
  ...rest,
});
const gauge = (help: string, rest: Partial<Rest> = {}): MetricDefinition => ({
  ...counter(help, rest),
  kind: "gauge",
});
const histogram = (help: string, rest: Partial<Rest> = {}): MetricDefinition => ({
  ...counter(help, rest),
  kind: "histogram",
});

const consumers: MetricCatalogue = {
  records_applied_total: counter("Records applied by a consumer; its rate is the throughput."),
  duplicates_dropped_total: counter("Records dropped because they were applied before."),
  holes_total: counter("Gaps found in lane sequences; each halts its partition."),
  dead_letters_total: counter("Records set aside."),
  contract_breaches_total: counter(
    "Records set aside because they aren't what their schema promises: the producer is at fault.",
    { labels: ["consumer", "cause"] },
  ),
  dead_letters_published_total: counter("Dispositions of dead letters published to the log.", {
    labels: [],
  }),
  dead_letter_publish_failures_total: counter("Times that dead letters couldn't be published.", {
    labels: [],
  }),
  dead_letters_open: gauge(
    "Dead letters that are neither redriven nor discarded, of partitions here.",
  ),
  parked_keys: gauge("Keys whose records wait behind a dead letter, of partitions here."),
  recoveries_total: counter("Times that partitions were claimed anew after an outage."),
  retries_total: counter("Steps tried again after a transient error."),
  fenced_flushes_total: counter("Flushes refused because another writer owns a partition."),
  refusals_left_total: counter("Decisions of a processor that were refused, and led nowhere else."),
  flush_seconds: histogram("Duration of a flush, retries included."),
  batch_records: histogram("Records in a flush.", { buckets: recordBuckets }),
  decode_seconds: histogram("Time spent on taking a fetched batch apart and decoding it."),
  freshness_seconds: histogram(
    "Time from an event's recording to its commit in the read model; the oldest of each flush.",
  ),
  hold_seconds: histogram("Time for which a hold has kept a generation's tasks still."),
  heals_total: counter("Rows looked at, and mended where they weren't as the log has them.", {
    labels: ["consumer", "outcome"],
  }),
  generation_watch_failures_total: counter("Looks at the generations that failed.", { labels: [] }),
  serving_generation: gauge("Number of the generation that serves."),
  serving_version: gauge("Version of the definition that has built what serves."),
  generations: gauge("Builds of the read model that are there, whatever their role."),
  rebuild_open: gauge("1 while a rebuild is open; 0 otherwise."),
  rebuild_records: gauge("Records that the open rebuild has to fold, as far as is known."),
  rebuild_records_done: gauge("Records that the open rebuild has folded."),
  rebuild_records_per_second: gauge("How fast the open rebuild is now."),
  rebuild_throttled_seconds: gauge("How long the open rebuild has waited for live traffic."),
  lag_records: gauge("Records of the log that are not durable here.", {
    labels: ["consumer", "partition"],
  }),
  lag_seconds: gauge(
    "How long the first record that is not durable here has waited; above 0 while there is one.",
    { labels: ["consumer", "partition"] },
  ),
  partitions: gauge("Partitions that this process owns, by state.", {
    labels: ["consumer", "state"],
  }),
};

const store: MetricCatalogue = {
  append_seconds: histogram("Duration of a call that appends to the event store.", { labels: [] }),
  append_conflicts_total: counter("Appends refused because their condition no longer held.", {
    labels: [],
  }),
  events_appended_total: counter("Events appended to the event store.", { labels: [] }),
  commands_total: counter("Commands decided.", { labels: ["outcome"] }),
};

const effects: MetricCatalogue = {
  effects_total: counter("Tries at effects; `left`: its outcome could not be recorded.", {
    labels: ["kind", "outcome"],
  }),
  effect_seconds: histogram("Duration of a try, with the decision on its answer.", {
    labels: ["kind"],
  }),
  effects_open: gauge("Effects that are not done, in all processes.", {
    labels: ["kind", "state"],
  }),
  effect_oldest_seconds: gauge("Since when the oldest of them is wanted.", {
    labels: ["kind", "state"],
  }),
  effect_ledger_failures_total: counter("Looks into the ledger of effects that failed.", {
    labels: [],
  }),
  deadlines_passed_total: counter("Deadlines that have passed, and were decided on.", {
    labels: ["name"],
  }),
  deadline_delay_seconds: histogram("Time from a deadline to the decision on it.", { labels: [] }),
  deadline_failures_total: counter("Looks for deadlines, and decisions on them, that failed.", {
    labels: [],
  }),
};

const capture: MetricCatalogue = {
  capture_lag_bytes: gauge("Write-ahead log that is not published yet.", { labels: [] }),
  capture_lag_seconds: gauge("How long the first write-ahead log not published has waited.", {
    labels: [],
  }),
  capture_changes_total: counter("Records published by the capture.", { labels: [] }),
};

const servers: MetricCatalogue = {
  slot_active: gauge("1 while somebody reads the slot; 0 otherwise.", { labels: ["slot"] }),
  slot_lost: gauge("1 when the slot is gone, or has lost write-ahead log; 0 otherwise.", {
    labels: ["slot"],
  }),
  slot_retained_bytes: gauge("Write-ahead log that the server keeps for the slot.", {
    labels: ["slot"],
  }),
  disk_free_bytes: gauge("Room on the disk, as it is left to Refold's server.", {
    labels: ["disk"],
  }),
  disk_full: gauge("1 while commands are refused for lack of room; 0 otherwise.", {
    labels: ["disk"],
  }),
};

const redis: MetricCatalogue = {
  redis_rows_waiting: gauge("Rows committed that wait to be written to Redis."),
  redis_partitions_behind: gauge("Partitions here that Redis isn't known to have."),
  redis_fills_total: counter("Partitions filled in Redis from a snapshot."),
  redis_failures_total: counter("Times that Redis couldn't be followed, or asked where it stands."),
  redis_answers_total: counter("Queries of a read model that Redis answered."),
  redis_fallbacks_total: counter("Queries that Postgres answered where Redis has the read model."),
};

const history: MetricCatalogue = {
  audit_checked_rows_total: counter("Stored rows counted into digests by the standing audit."),
  audit_checked_keys_total: counter("Keys refolded from their history by the standing audit."),
  audit_drift_keys: gauge("Stored rows that aren't what the log gives, at the last pass."),
  audit_drift_buckets: gauge("Buckets whose digest isn't their rows', at the last pass."),
  audit_failures_total: counter("Passes of the standing audit that failed."),
  snapshots_audited_total: counter("Snapshots taken and found equal to the log."),
  snapshots_refuted_total: counter("Snapshots that the log refuted: stored rows have drifted."),
  snapshot_failures_total: counter("Looks of the snapshot policy that failed."),
};

const process: MetricCatalogue = {
  sign_ins_total: counter("Attempts to sign in that were looked at.", { labels: ["outcome"] }),
  session_view_age_seconds: gauge(
    "Time since all that was recorded of sessions was known here; above a second writes are refused.",
    { labels: [] },
  ),
  http_request_seconds: histogram("Time from a request's head to its answer's end.", {
    labels: ["route", "method", "status"],
  }),
  http_problems_total: counter("Answers that are a problem, such as a refusal, by its code.", {
    labels: ["route", "method", "status", "code"],
  }),
  requests_refused_total: counter("Requests refused because too many were under way.", {
    labels: ["priority"],
  }),
  requests_limit: gauge("How many requests of a kind may be under way, as it was last learnt.", {
    labels: ["priority"],
  }),
  log_fetch_retries_total: counter("Fetches from the log tried again.", { labels: [] }),
  log_append_retries_total: counter("Batches for the log sent again.", { labels: [] }),
  log_group_commits_total: counter(
    "Commits of positions as offsets of a consumer group: committed, failed, or left out.",
    { labels: ["outcome"] },
  ),
  log_listener_losses_total: counter("Connections lost that wake readers of the log.", {
    labels: [],
  }),
  dead_letter_look_failures_total: counter(
    "Looks for what is to be done with letters that failed.",
    {
      labels: [],
    },
  ),
  monitor_failures_total: counter("Looks at the log's ends that failed; lag stands meanwhile.", {
    labels: [],
  }),
  status_report_failures: gauge("Reports to the status board that failed in a row.", {
    labels: [],
  }),
  build_info: gauge("Always 1; its labels say what runs.", { labels: ["version", "node"] }),
};

/** Every metric of the engine, its connectors and the API, without the prefix. */
export const catalogue: MetricCatalogue = {
  ...consumers,
  ...store,
  ...effects,
  ...capture,
  ...servers,
  ...redis,
  ...history,
  ...process,
};
