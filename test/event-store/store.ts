import type { Pool } from "pg";
import { onTestFinished } from "vitest";

import { migrations } from "../../connectors/postgres/event-store/migrations.ts";
import { migrate } from "../../connectors/postgres/migrations.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import type { ConditionItem, NewEvent } from "../../engine/ports/event-store.ts";
import { globalPosition } from "../../engine/position.ts";
import { databaseOfTest } from "../support/database.ts";

/** A pool on a database of the test's own, with the event store's tables. */
export async function poolOfTest(connectionsMax = 8): Promise<Pool> {
  const url = await databaseOfTest();
  const pool = makePool({ url, name: "test", connectionsMax });
  onTestFinished(() => pool.end());
  await migrate(pool, migrations);
  return pool;
}

let lastId = 0;

export function event(
  type: string,
  tags: readonly string[],
  more: Partial<NewEvent> = {},
): NewEvent {
  lastId += 1;
  return {
    id: `e-${lastId}`,
    type,
    topic: "seats",
    partition: 0,
    key: "k",
    value: Buffer.from(`value ${lastId}`),
    tags,
    correlationId: "c",
    ...more,
  };
}

export const nothingAfter = (
  after: bigint | number,
  tags: readonly string[],
  types?: readonly string[],
): ConditionItem => ({
  after: globalPosition(after),
  tags,
  ...(types ? { types } : {}),
});

export const command = { as: "command" } as const;
