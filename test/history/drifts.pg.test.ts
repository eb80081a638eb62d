import { PostgresDrifts } from "../../connectors/postgres/drifts/index.ts";
import { PostgresReadModelStore } from "../../connectors/postgres/read-model-store/index.ts";
import { driftsConformance } from "../conformance/drifts.ts";
import { storesDatabase } from "../stores/postgres-stores.ts";

driftsConformance("in Postgres", async () => {
  const database = await storesDatabase();
  const { pool } = database;
  return {
    drifts: new PostgresDrifts({ pool, keysMax: 3 }),
    store: new PostgresReadModelStore({ pool }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
});
