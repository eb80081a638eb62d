export { PostgresDeadLetters } from "./dead-letters.ts";
export { PostgresLetterFeed } from "./feed.ts";
export { insertDeadLetters } from "./insert-dead-letters.ts";
export { migrations } from "./migrations.ts";
export { settleDeadLetters } from "./settle-dead-letters.ts";
