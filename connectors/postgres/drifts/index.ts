export { PostgresDrifts, type PostgresDriftsOptions } from "./drifts.ts";
export { migrations } from "./migrations.ts";
