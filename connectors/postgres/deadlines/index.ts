export { changeDeadlines } from "./change-deadlines.ts";
export { PostgresDeadlines } from "./deadlines.ts";
export { migrations } from "./migrations.ts";
