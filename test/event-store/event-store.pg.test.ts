import { onTestFinished } from "vitest";

import { PostgresEventStore } from "../../connectors/postgres/event-store/event-store.ts";
import { PostgresStoreHold } from "../../connectors/postgres/event-store/store-hold.ts";
import { eventStoreConformance } from "../conformance/event-store.ts";
import { poolOfTest } from "./store.ts";

eventStoreConformance("in Postgres", async () => {
  const pool = await poolOfTest();
  const hold = new PostgresStoreHold({ pool });
  onTestFinished(() => hold[Symbol.asyncDispose]());
  return { store: new PostgresEventStore({ pool }), hold };
});
