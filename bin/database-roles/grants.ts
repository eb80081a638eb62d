/** Roles in Postgres, by what a process needs them for. */
export const databaseRoles = ["reader", "api", "projector", "rebuilder", "capture"] as const;
export type DatabaseRole = (typeof databaseRoles)[number];

export type Privilege = "select" | "insert" | "update" | "delete" | `update (${string})`;

/** Rights of some roles on some tables of one schema. */
export interface TableGrant {
  readonly schema: string;
  readonly tables: readonly string[];
  readonly to: Partial<Record<DatabaseRole, readonly Privilege[]>>;
}

const look = ["select"] as const;
const write = ["select", "insert", "update"] as const;
const keep = ["select", "insert", "update", "delete"] as const;

/**
 * What each role may do with which table. What isn't named here is nobody's but the owner's. Facts are
 * written by functions alone (`definerFunctions`), so that no role can change or delete one.
 */
export const tableGrants: readonly TableGrant[] = [
  {
    schema: "refold",
    tables: ["events", "event_tags"],
    to: { api: look, projector: look, rebuilder: look, capture: look },
  },
  {
    schema: "refold",
    tables: ["notices"],
    to: { api: look, projector: ["select", "delete"], capture: look },
  },
  {
    schema: "refold",
    tables: ["lanes", "migrations"],
    to: { reader: look, api: look, projector: look, rebuilder: look, capture: look },
  },
  {
    schema: "refold",
    // The hold that `republish` puts on appends stands in it, and is its owner's.
    tables: ["store"],
    to: {
      reader: look,
      api: ["select", "update (registry)"],
      projector: ["select", "update (registry)"],
      rebuilder: look,
      capture: ["select", "update (registry)"],
    },
  },
  {
    schema: "refold",
    tables: ["serving", "generations", "positions", "digests", "generation_stands"],
    to: { reader: look, api: look, projector: keep, rebuilder: keep },
  },
  {
    schema: "refold",
    tables: ["generation_holds", "heal_asks", "drifts", "members", "leases"],
    to: { api: look, projector: keep, rebuilder: keep },
  },
  {
    schema: "refold",
    tables: ["rebuilds"],
    to: { api: write, projector: write, rebuilder: write },
  },
  {
    schema: "refold",
    tables: ["snapshots", "snapshot_positions", "snapshot_digests"],
    to: { api: look, projector: keep, rebuilder: keep },
  },
  {
    schema: "refold",
    tables: ["task_status"],
    to: { reader: look, api: keep, projector: keep, rebuilder: look, capture: keep },
  },
  {
    schema: "refold",
    tables: ["log_topics", "log_partitions", "log_compaction", "log_skipped"],
    to: { api: look, projector: keep, rebuilder: look, capture: look },
  },
  {
    schema: "refold",
    tables: ["log_batches", "log_skipped_batches"],
    to: {
      api: look,
      // The log's retention and compaction are a worker's chores.
      projector: keep,
      rebuilder: look,
      capture: look,
    },
  },
  {
    schema: "refold",
    tables: ["skipped_offsets"],
    to: { api: look, projector: write, rebuilder: look, capture: look },
  },
  {
    schema: "refold",
    tables: ["idempotency_keys"],
    to: { api: keep, projector: keep },
  },
  {
    schema: "refold",
    tables: ["effects", "open_effects", "done_effects", "deadlines"],
    to: { api: keep, projector: keep },
  },
  {
    schema: "refold",
    tables: ["processors"],
    to: { api: look, projector: write, rebuilder: look },
  },
  {
    schema: "refold",
    tables: ["dead_letters", "letter_orders", "letter_acts"],
    to: { api: write, projector: keep, rebuilder: keep },
  },
  {
    schema: "refold",
    tables: ["registry_contexts", "registry_schemas", "registry_versions", "registry_settings"],
    to: { api: keep, projector: write, rebuilder: look, capture: write },
  },
  { schema: "refold", tables: ["capture_position"], to: { projector: look, capture: write } },
  // Whoever reads a signing key can make tokens; whoever reads a hash can guess its password.
  { schema: "refold", tables: ["users"], to: { api: look } },
  { schema: "refold", tables: ["signing_keys"], to: { api: ["select", "insert", "delete"] } },
  { schema: "catalogue", tables: ["students"], to: { api: look } },
  { schema: "catalogue", tables: ["modules"], to: { projector: look, capture: look } },
  { schema: "sandbox", tables: ["charges", "refunds"], to: { api: look, projector: write } },
];

/** A function that works with its owner's rights, for roles without rights on what it writes. */
export interface FunctionGrant {
  readonly name: string;
  readonly to: readonly DatabaseRole[];
}

export const definerFunctions: readonly FunctionGrant[] = [
  { name: "append", to: ["api", "projector"] },
  { name: "insert_notices", to: ["projector"] },
  { name: "log_ensure_topic", to: ["api", "projector", "capture"] },
  { name: "log_append", to: ["projector", "capture"] },
  { name: "capture_publish", to: ["capture"] },
];

/** Schemas in which `rebuilder` makes and drops tables; whoever else makes one gives it to it. */
export const buildSchemas = ["read", "snapshots"] as const;
