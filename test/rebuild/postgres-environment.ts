import type { Pool } from "pg";

import {
  PostgresComparisons,
  PostgresDeadLetters,
  PostgresGenerations,
  PostgresReadModelStore,
  PostgresRebuilds,
  PostgresRecordLog,
  PostgresSnapshots,
  PostgresStatusBoard,
} from "../../connectors/postgres/index.ts";
import type { RebuildEnvironment, RebuildLimits } from "../../engine/rebuild/options.ts";
import { workedOnByBoard } from "../../engine/rebuild/worked-on.ts";
import { realClock, realRandom } from "../engine/process.ts";
import { countersCodec } from "../engine/runner-on-postgres.ts";

export interface OnPostgres {
  readonly pool: Pool;
  /** Of its database. */
  readonly url: string;
  readonly limits?: Partial<RebuildLimits>;
}

/** What a conductor works with, all of it in one Postgres; the log is the caller's to close. */
export async function environmentOnPostgres({ pool, url, limits }: OnPostgres) {
  const statusBoard = new PostgresStatusBoard({ pool });
  const environment = {
    log: new PostgresRecordLog({ pool }),
    readModels: new PostgresReadModelStore({ pool }),
    generations: new PostgresGenerations({ pool, listenUrl: url }),
    rebuilds: new PostgresRebuilds({ pool }),
    comparisons: new PostgresComparisons({ pool }),
    snapshots: new PostgresSnapshots({ pool }),
    deadLetters: new PostgresDeadLetters({ pool }),
    codec: await countersCodec(),
    clock: realClock,
    random: realRandom,
    instance: realRandom.id(),
    codeVersion: "test",
    isWorkedOn: workedOnByBoard({ board: statusBoard, clock: realClock, silentMs: 10_000 }),
    // Small steps, so that a short history has many of them.
    limits: { closeRecordsMax: 20, fetchBytesMax: 4_096, followMs: 50, ...limits },
  } satisfies RebuildEnvironment;
  return { environment, statusBoard };
}
