export { PostgresGenerations, type PostgresGenerationsOptions } from "./generations.ts";
export { migrations } from "./migrations.ts";
export { giveTurn } from "./turns.ts";
