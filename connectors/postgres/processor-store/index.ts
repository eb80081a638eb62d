export { migrations } from "./migrations.ts";
export { PostgresProcessorStore } from "./processor-store.ts";
