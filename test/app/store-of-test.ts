import type { Pool } from "pg";
import { onTestFinished } from "vitest";

import { PostgresEventStore } from "../../connectors/postgres/event-store/event-store.ts";
import { migrate } from "../../connectors/postgres/migrations.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { engineMigrations } from "../../connectors/postgres/schema.ts";
import { Decider } from "../../engine/decision/decider.ts";
import type { CommandCall } from "../../engine/decision/definition.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { migrations as catalogueMigrations } from "../../processors/catalogue/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { databaseOfTest } from "../support/database.ts";

export interface StoreOfTest {
  readonly pool: Pool;
  readonly eventStore: PostgresEventStore;
  readonly codec: JsonCodec;
  /** A decider of its own, as another process would have it. */
  readonly decider: (clock: Clock) => Decider;
}

/** The event store, with all that an append writes, and the catalogue's tables in a new database. */
export async function storeOfTest(): Promise<StoreOfTest> {
  const url = await databaseOfTest();
  const pool = makePool({ url, name: "test" });
  onTestFinished(() => pool.end());
  await migrate(pool, [...engineMigrations(), ...catalogueMigrations]);
  const eventStore = new PostgresEventStore({ pool });
  const codec = new JsonCodec();
  await codec.prepare(moduleEvents);
  let seed = 0;
  const decider = (clock: Clock) => {
    const random = new SeededRandom((seed += 1));
    return new Decider({ eventStore, codec, random, clock, metrics: noMetrics });
  };
  return { pool, eventStore, codec, decider };
}

/** Executes a command that a test takes for granted. */
export async function mustExecute<Answer>(
  decider: Decider,
  call: CommandCall<Answer>,
): Promise<{ readonly answer: Answer; readonly recordedAtMs: number }> {
  const result = await decider.execute(call, { correlationId: "test" });
  if (result.outcome !== "accepted") throw new Error(JSON.stringify(result));
  return result;
}
