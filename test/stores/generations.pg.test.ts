import { setTimeout as sleep } from "node:timers/promises";

import {
  PostgresComparisons,
  PostgresGenerations,
  PostgresReadModelReader,
  PostgresReadModelStore,
  PostgresRebuilds,
  PostgresSnapshots,
} from "../../connectors/postgres/index.ts";
import { comparisonsConformance } from "../conformance/comparisons.ts";
import { generationsConformance } from "../conformance/generations.ts";
import type { GenerationsSubject } from "../conformance/generations-subject.ts";
import { rebuildsConformance } from "../conformance/rebuilds.ts";
import { snapshotsConformance } from "../conformance/snapshots.ts";
import { storesDatabase } from "./postgres-stores.ts";

async function inPostgres(): Promise<GenerationsSubject> {
  const database = await storesDatabase();
  const { pool } = database;
  return {
    store: new PostgresReadModelStore({ pool }),
    reader: new PostgresReadModelReader({ pool }),
    generations: new PostgresGenerations({ pool }),
    rebuilds: new PostgresRebuilds({ pool }),
    snapshots: new PostgresSnapshots({ pool, pageRows: 2 }),
    comparisons: new PostgresComparisons({ pool, pageRows: 2 }),
    // The database's clock can't be moved.
    pass: (ms) => sleep(ms),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

generationsConformance("in Postgres", inPostgres);
rebuildsConformance("in Postgres", inPostgres);
snapshotsConformance("in Postgres", inPostgres);
comparisonsConformance("in Postgres", inPostgres);
