export { migrations } from "./migrations.ts";
export { PostgresSkippedOffsets, skipOffsets } from "./skipped-offsets.ts";
