import { PostgresNotices } from "../../connectors/postgres/event-store/stored-notices.ts";
import type { TraceSources } from "../../engine/tracing/index.ts";
import type { Definitions } from "./definitions.ts";
import type { Stores } from "./stores.ts";

/** What business transactions are told from. */
export function traceSources(
  stores: Stores,
  definitions: Pick<Definitions, "projections" | "eventTopics" | "transactionTags">,
): TraceSources {
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
