export { PostgresIdempotencyKeys } from "./idempotency-keys.ts";
export { type AnsweredMark, claimMarks, keepAnswers } from "./marks.ts";
export { migrations } from "./migrations.ts";
