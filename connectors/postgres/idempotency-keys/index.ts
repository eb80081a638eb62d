export { PostgresIdempotencyKeys } from "./idempotency-keys.ts";
export { claimMarks, keepAnswers, type RequestMark } from "./marks.ts";
export { migrations } from "./migrations.ts";
