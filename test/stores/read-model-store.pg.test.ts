import { PostgresDeadLetters } from "../../connectors/postgres/dead-letters/dead-letters.ts";
import { PostgresGenerations } from "../../connectors/postgres/generations/index.ts";
import {
  PostgresReadModelReader,
  PostgresReadModelStore,
} from "../../connectors/postgres/read-model-store/index.ts";
import { readModelStoreConformance } from "../conformance/read-model-store.ts";
import { storesDatabase } from "./postgres-stores.ts";

readModelStoreConformance("in Postgres", async () => {
  const database = await storesDatabase();
  const { pool } = database;
  return {
    store: new PostgresReadModelStore({ pool, scanPageRows: 2 }),
    generations: new PostgresGenerations({ pool }),
    reader: new PostgresReadModelReader({ pool }),
    deadLetters: new PostgresDeadLetters({ pool }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
});
