/**
 * How old what readers see is, at a steady 5,000 events/s on 2,000 keys.
 *
 * From the event store: registrations are appended to the store of `refold start` by another process
 * (this one) and pass capture, log and all the projections and processors that the application has;
 * the clock runs from the recorded time, just before the commit, until the row is committed in the
 * read model, and until a listener has the update that contains it.
 *
 * From the log: an append to Kafka, or to the embedded log, until the row is committed.
 *
 * Rows are compared with counts made without the engine before a figure is told.
 */
import { parseArgs } from "node:util";

import { PostgresRecordLog } from "../connectors/postgres/index.ts";
import { measureEventFreshness } from "./_event-freshness.ts";
import { measuredInstance, nobodyPutOff } from "./_instance.ts";
import { noKafka, onKafkaTopic } from "./_kafka-topic.ts";
import { measureLogFreshness } from "./_log-freshness.ts";
import { onOwnPostgres, type OwnPostgres } from "./_own-postgres.ts";
import type { RecordLog } from "../engine/ports/record-log.ts";
import { tellLeftOut } from "./harness/tell.ts";

const { values } = parseArgs({
  options: {
    perSecond: { type: "string", default: "5000" },
    seconds: { type: "string", default: "10" },
    keys: { type: "string", default: "2000" },
    from: { type: "string", default: "store" },
  },
  // Also --data, which names an instance that runs already.
  strict: false,
});
const keys = Number(values.keys);
const load = {
  eventsPerSecond: Number(values.perSecond),
  warmUpSeconds: 5,
  seconds: Number(values.seconds),
};

const fromLog = (log: RecordLog, { pool, url }: OwnPostgres): Promise<void> =>
  measureLogFreshness({ ...load, log, pool, databaseUrl: url, keys });

switch (values.from) {
  case "kafka": {
    const measured = await onKafkaTopic("freshness", (log) =>
      onOwnPostgres((own) => fromLog(log, own)),
    );
    if (!measured) tellLeftOut(noKafka);
    break;
  }
  case "embedded":
    await onOwnPostgres(async (own) => {
      await using log = new PostgresRecordLog({ pool: own.pool });
      await fromLog(log, own);
    });
    break;
  default: {
    // The log of the brokers is measured by itself.
    delete process.env["KAFKA_BROKERS"];
    // Each change by itself: how updates that follow closely are merged is measured elsewhere.
    const limits = [...nobodyPutOff, "updatesPerSecondMax=1000"];
    await using instance = await measuredInstance(["--limit", ...limits]);
    await measureEventFreshness({ ...load, instance, modules: keys });
  }
}
