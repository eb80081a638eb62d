import { makePool } from "../../connectors/postgres/pool.ts";
import { migrate } from "../../connectors/postgres/migrations.ts";
import { migrations, PostgresRecordLog } from "../../connectors/postgres/record-log/index.ts";
import { recordLogConformance } from "../conformance/record-log.ts";
import { newDatabase } from "../support/database.ts";

recordLogConformance("Postgres", async () => {
  const database = await newDatabase();
  const pool = makePool({ url: database.url, name: "log test" });
  await migrate(pool, migrations);
  // Small batches, so that fetches are cut between them.
  const log = new PostgresRecordLog({ pool, batchRecordsMax: 2 });
  const other = new PostgresRecordLog({ pool, listenUrl: database.url });
  return {
    log,
    other,
    deleteBefore: (topic, before) => log.deleteBefore(topic, before),
    close: async () => {
      await log[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
      await pool.end();
      await database.drop();
    },
  };
});
