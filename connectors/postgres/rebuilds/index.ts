export { migrations } from "./migrations.ts";
export { PostgresRebuilds } from "./rebuilds.ts";
