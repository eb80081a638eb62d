import { PostgresNotices } from "../../connectors/postgres/event-store/stored-notices.ts";
import type { TraceAdministration } from "../../api/traces/administration.ts";
import { rowStory } from "../../engine/history/row-story.ts";
import {
  defaultTransactionLimits,
  traceOf,
  type TraceSources,
} from "../../engine/tracing/index.ts";
import type { Definitions } from "./definitions.ts";
import { storySources } from "./history.ts";
import type { Stores } from "./stores.ts";

type Traced = Pick<Definitions, "projections" | "eventTopics" | "transactionTags">;

/** What the API tells of transactions and rows. */
export function traceAdministration(stores: Stores, definitions: Traced): TraceAdministration {
  const sources = traceSources(stores, definitions);
  const story = storySources(stores);
  return {
    trace: (id, eventsMax) => traceOf(sources, id, { ...defaultTransactionLimits, eventsMax }),
    why: (projection, ask) => rowStory(story, projection, ask),
    projections: definitions.projections,
  };
}

/** What business transactions are told from. */
export function traceSources(stores: Stores, definitions: Traced): TraceSources {
  const { eventStore, codec, reader, effectLedger, deadlines, deadLetters, pool } = stores;
  return {
    eventStore,
    codec,
    reader,
    effects: effectLedger,
    deadlines,
    deadLetters,
    notices: new PostgresNotices({ pool }),
    projections: definitions.projections,
    topics: definitions.eventTopics,
    kinds: definitions.transactionTags,
  };
}
