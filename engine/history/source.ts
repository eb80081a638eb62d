import type { Clock, Random } from "../ports/clock.ts";
import type { EventCodec } from "../ports/codec.ts";
import type { DeadLetters } from "../ports/dead-letters.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { RecordLog } from "../ports/record-log.ts";
import type { Snapshots } from "../ports/snapshots.ts";

/** What the past of a projection is told from. */
export interface HistorySource {
  readonly log: Pick<RecordLog, "topics" | "bounds" | "read" | "offsetsAt">;
  readonly codec: EventCodec;
  readonly eventStore: Pick<EventStore, "append" | "read" | "lanes" | "nowMs">;
  /** Left out: every fold begins with the log. */
  readonly snapshots?: Pick<Snapshots, "list" | "row" | "rows">;
  /** Left out: no record is passed over. */
  readonly deadLetters?: Pick<DeadLetters, "list">;
  readonly clock: Clock;
  readonly random: Random;
}
