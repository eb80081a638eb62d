import type { Pool } from "pg";

import type { CopyHealth } from "../../api/index.ts";
import type { FollowedPartitionHealth } from "../../connectors/redis/index.ts";
import type { Generations } from "../../engine/ports/generations.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type { ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import type { ReadModelStore } from "../../engine/ports/read-model-store.ts";
import type { SecondStore } from "../../engine/ports/second-store.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import type { StopInTurn } from "../stop-in-turn.ts";
import type { ClientTls } from "../tls/client-tls.ts";

export interface ReadModels {
  readonly readModelStore: ReadModelStore;
  /** The same for generations that are filled beside what serves. */
  readonly shadowStore: ReadModelStore;
  /** For the proof of a rebuild; undefined: there is no Redis. */
  readonly secondStore: SecondStore | undefined;
  /** Takes away what is in Redis of generations that are being removed, or are unknown. */
  readonly sweep: () => Promise<void>;
  readonly reader: ReadModelReader;
  /** How far an answer may be behind the store that commits first. */
  readonly behindMs: (projection: string) => number;
  /** How Redis stands with each projection that it has; empty where there is no Redis. */
  readonly copies: () => readonly CopyHealth[];
  /** How it follows the partitions that are owned here. */
  readonly following: () => readonly FollowedPartitionHealth[];
}

export interface ReadModelsPart {
  /** undefined: there is no Redis. */
  readonly url: string | undefined;
  readonly tls: ClientTls | undefined;
  /** Those that name `redis` among their stores are kept there, too. */
  readonly projections: readonly AnyProjection[];
  readonly pool: Pool;
  readonly primary: Pick<ReadModels, "readModelStore" | "reader">;
  readonly generations: Pick<Generations, "list" | "turns">;
  readonly name: string;
  readonly metrics: Metrics;
  readonly report: (message: string) => void;
  readonly stop: StopInTurn;
}
