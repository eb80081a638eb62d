import type { DeadLetterTopics } from "../../connectors/kafka/index.ts";
import { PostgresLetterFeed } from "../../connectors/postgres/dead-letters/index.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import { systemClock } from "../system-clock.ts";
import type { Definitions } from "./definitions.ts";
import type { Stores } from "./stores.ts";

export interface DeadLetterTopicsPart {
  readonly stores: Pick<Stores, "log" | "pool" | "servers">;
  readonly definitions: Pick<Definitions, "eventTopics" | "changeTopics">;
  readonly metrics: Metrics;
}

/** Where the log is Kafka, other programs are told of dead letters in topics beside its own. */
export async function publishLetters(
  part: DeadLetterTopicsPart,
): Promise<DeadLetterTopics | undefined> {
  const { stores, definitions, metrics } = part;
  const { log, pool, servers } = stores;
  if (servers.kafka === undefined) return undefined;
  const { deadLetterRetentionMs: retentionMs } = servers;
  const { DeadLetterTopics } = await import("../../connectors/kafka/index.ts");
  return new DeadLetterTopics({
    feed: new PostgresLetterFeed({ pool }),
    log,
    topics: [...definitions.eventTopics, ...definitions.changeTopics],
    clock: systemClock,
    metrics,
    ...(retentionMs === undefined ? {} : { retentionMs }),
  });
}
