export { PostgresIdempotencyKeys } from "./idempotency-keys.ts";
export { claimMarks, keepAnswers } from "./marks.ts";
export { migrations } from "./migrations.ts";
