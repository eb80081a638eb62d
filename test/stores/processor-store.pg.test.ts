import { PostgresDeadLetters } from "../../connectors/postgres/dead-letters/dead-letters.ts";
import { PostgresProcessorStore } from "../../connectors/postgres/processor-store/index.ts";
import { processorStoreConformance } from "../conformance/processor-store.ts";
import { storesDatabase } from "./postgres-stores.ts";

processorStoreConformance("in Postgres", async () => {
  const database = await storesDatabase();
  const { pool } = database;
  return {
    store: new PostgresProcessorStore({ pool }),
    deadLetters: new PostgresDeadLetters({ pool }),
    eventsTagged: async (tag) => {
      const { rows } = await pool.query<{ ce_id: string }>(
        "select ce_id from refold.events where $1 = any(tags) order by position",
        [tag],
      );
      return rows.map(({ ce_id }) => ce_id);
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
});
