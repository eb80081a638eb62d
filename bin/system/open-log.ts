import type { Pool } from "pg";

import type { GroupOffsetMirror } from "../../connectors/kafka/index.ts";
import type { PostgresRecordLog } from "../../connectors/postgres/record-log/index.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import type { Servers } from "../servers.ts";
import type { StopInTurn } from "../stop-in-turn.ts";

export interface LogPart {
  readonly servers: Servers;
  readonly pool: Pool;
  /** Of the database. */
  readonly url: string;
  readonly metrics: Metrics;
  readonly stop: StopInTurn;
}

export interface OpenLog {
  readonly log: RecordLog;
  /** The same where it is in Postgres, which keeps no house by itself; Kafka's brokers do. */
  readonly embeddedLog: PostgresRecordLog | undefined;
  /** Tells Kafka's consumer groups how far we are. */
  readonly offsetMirror: GroupOffsetMirror | undefined;
}
