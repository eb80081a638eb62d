import type { Pool } from "pg";

import { migrations as captureMigrations } from "../../connectors/capture/index.ts";
import { forgetOwners, PostgresAssignment } from "../../connectors/postgres/assignment/index.ts";
import { PostgresDeadLetters } from "../../connectors/postgres/dead-letters/dead-letters.ts";
import { PostgresDeadlines } from "../../connectors/postgres/deadlines/index.ts";
import {
  forgetTries,
  PostgresEffectLedger,
} from "../../connectors/postgres/effect-ledger/index.ts";
import {
  PostgresEventStore,
  PostgresStoreHold,
} from "../../connectors/postgres/event-store/index.ts";
import { PostgresIdempotencyKeys } from "../../connectors/postgres/idempotency-keys/index.ts";
import { migrate, type Migration } from "../../connectors/postgres/migrations.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { PostgresProcessorStore } from "../../connectors/postgres/processor-store/index.ts";
import {
  PostgresReadModelReader,
  PostgresReadModelStore,
} from "../../connectors/postgres/read-model-store/index.ts";
import { engineMigrations } from "../../connectors/postgres/schema.ts";
import { PostgresStatusBoard } from "../../connectors/postgres/status-board/status-board.ts";
import { avroCodec, migrations as registryMigrations } from "../../connectors/registry/index.ts";
import type { Columns } from "../../engine/columns.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { storedColumns } from "../../engine/task/pipeline.ts";
import { assertCurrent, assertNotNewer } from "../schema-version.ts";
import { embeddedServers, type Servers } from "../servers.ts";
import { StopInTurn } from "../stop-in-turn.ts";
import { FollowedBoard } from "./followed-board.ts";
import { MirroredBoard } from "./mirrored-board.ts";
import { openBuilds } from "./builds.ts";
import { openReadModels } from "./read-models.ts";
import { openLog } from "./record-log.ts";
import { openRegistry } from "./registry.ts";

const ofEngine = engineMigrations({ capture: captureMigrations, registry: registryMigrations });

/** Appends (2), reads, flushes of each consumer, the hold: more only wait for the two processors. */
const poolConnectionsMax = 20;

export interface StoresOptions {
  readonly url: string;
  /** What takes the place of embedded adapters; left out, all are embedded. */
  readonly servers?: Servers;
  /** Steps of the domain's own tables, after the engine's. */
  readonly migrations: readonly Migration[];
  /** What runs or is asked here, for the stores that only some of them have (default: none). */
  readonly projections?: readonly AnyProjection[];
  /** The command, shown in pg_stat_activity. */
  readonly name: string;
  readonly metrics: Metrics;
  /** `migrate` brings the schema up to date; `require` refuses one that isn't. */
  readonly schema: "migrate" | "require";
  /** `none`: this process holds the data folder's lock, so whoever worked here before is dead. */
  readonly others: "none" | "possible";
  readonly report: (message: string) => void;
}

/** The adapters of all ports, on one database and the servers beside it. Nothing runs yet. */
export type Stores = Awaited<ReturnType<typeof openStores>>;

/** Opens them. @throws CommandFailure when the database isn't as this code needs it. */
export async function openStores(options: StoresOptions) {
  const { url, metrics, servers = embeddedServers } = options;
  const stop = new StopInTurn(options.report);
  try {
    const pool = makePool({ url, name: options.name, connectionsMax: poolConnectionsMax });
    stop.add("connection pool", () => pool.end());
    await prepareSchema(pool, options);
    if (options.others === "none") await Promise.all([forgetOwners(pool), forgetTries(pool)]);
    const { offsetMirror, ...logs } = await openLog({ servers, pool, url, metrics, stop });
    const hold = new PostgresStoreHold({ pool });
    stop.add("store hold", () => hold[Symbol.asyncDispose]());
    const registries = openRegistry(servers, pool);
    const builds = openBuilds({ pool, url });
    const readModels = await openReadModels({
      ...options,
      url: servers.redisUrl,
      tls: servers.redisTls,
      projections: options.projections ?? [],
      pool,
      primary: {
        readModelStore: new PostgresReadModelStore({ pool }),
        reader: new PostgresReadModelReader({ pool, declared: columnsOf(options) }),
      },
      generations: builds.generations,
      stop,
    });
    const board = new FollowedBoard(new PostgresStatusBoard({ pool }), readModels.following);
    return {
      pool,
      ...logs,
      hold,
      ...registries,
      servers,
      codec: avroCodec(registries),
      eventStore: new PostgresEventStore({ pool, metrics }),
      ...builds,
      ...readModels,
      processorStore: new PostgresProcessorStore({ pool }),
      deadLetters: new PostgresDeadLetters({ pool }),
      effectLedger: new PostgresEffectLedger({ pool }),
      deadlines: new PostgresDeadlines({ pool }),
      idempotencyKeys: new PostgresIdempotencyKeys({ pool }),
      assignment: new PostgresAssignment({ pool }),
      board: offsetMirror ? new MirroredBoard(board, offsetMirror) : board,
      [Symbol.asyncDispose]: () => stop[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stop[Symbol.asyncDispose]();
    throw error;
  }
}

/** What this code knows of rows, whatever version serves. */
const columnsOf = ({ projections = [] }: StoresOptions): ReadonlyMap<string, Columns> =>
  new Map(projections.map((projection) => [projection.name, storedColumns(projection)]));

/** Steps of the engine's tables, then of the domain's. */
export function allMigrations(ofDomain: readonly Migration[]): readonly Migration[] {
  return [...ofEngine, ...ofDomain];
}

async function prepareSchema(
  pool: Pool,
  { schema, migrations }: Pick<StoresOptions, "schema" | "migrations">,
): Promise<void> {
  const all = allMigrations(migrations);
  if (schema === "require") return assertCurrent(pool, all);
  await assertNotNewer(pool, all);
  await migrate(pool, all);
}
