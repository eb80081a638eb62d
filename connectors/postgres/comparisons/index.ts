export { PostgresComparisons, type PostgresComparisonsOptions } from "./comparisons.ts";
