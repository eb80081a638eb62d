import type { Definitions } from "../system/definitions.ts";

/** Any JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** What is told of the definitions: topics, and who reads them. */
export type Contracts = Pick<
  Definitions,
  "eventTopics" | "changeTopics" | "processors" | "projections"
>;
