import { array, assert, asyncProperty, constantFrom } from "fast-check";
import { expect, test } from "vitest";

import { appendWithin } from "../../connectors/postgres/event-store/append-within.ts";
import { PostgresEventStore } from "../../connectors/postgres/event-store/event-store.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import type { AppendVerdict, StoredEvent } from "../../engine/ports/event-store.ts";
import { all } from "../conformance/event-store.ts";
import { command } from "./events.ts";
import { randomRequest, requestsOf } from "./random-requests.ts";
import { poolOfTest } from "./store.ts";

/**
 * Times differ, and positions have gaps in Postgres: what stays is compared. A conflict may bring
 * events that came after the verdict, at the end.
 */
function essence(verdict: AppendVerdict, like: AppendVerdict = verdict): unknown {
  if (verdict.outcome === "appended") {
    const { duplicate, events } = verdict;
    return { duplicate, sequences: events.map((event) => event.sequence) };
  }
  if (verdict.outcome !== "conflict") return verdict;
  const count = like.outcome === "conflict" ? like.newer.length : 0;
  return { cut: verdict.cut, newer: verdict.newer.slice(0, count).map((event) => event.id) };
}

const stored = (events: readonly StoredEvent[]): unknown =>
  events.map(({ id, sequence, partition, tags }) => ({ id, sequence, partition, tags }));

const empty = `truncate refold.events, refold.event_tags, refold.lanes;
  alter sequence refold.event_positions restart`;

test("requests gathered into calls are answered as one after the other would be", async () => {
  const pool = await poolOfTest();
  const histories = array(randomRequest, { minLength: 1, maxLength: 25 });
  await assert(
    asyncProperty(histories, constantFrom(1, 3, 100), async (randoms, gatherRequestsMax) => {
      await pool.query(empty);
      const options = { pool, gatherRequestsMax, callsInFlightMax: 1 };
      const store = new PostgresEventStore(options);
      const model = new MemoryEventStore({ clock: new ManualClock() });
      const requests = inPositionsOf(randoms);
      const [actual, expected] = await Promise.all([
        Promise.all(requests.map((request) => store.append(request, command))),
        Promise.all(requests.map((request) => model.append(request, command))),
      ]);
      expect(actual.map((one, i) => essence(one, expected[i]))).toEqual(
        expected.map((one) => essence(one)),
      );
      expect(stored(await all(store))).toEqual(stored(await all(model)));
    }),
    { numRuns: 40 },
  );
});

test("requests in a transaction of the caller's are answered so too", async () => {
  const pool = await poolOfTest();
  const histories = array(randomRequest, { minLength: 1, maxLength: 15 });
  await assert(
    asyncProperty(histories, async (randoms) => {
      await pool.query(empty);
      const model = new MemoryEventStore({ clock: new ManualClock() });
      const requests = inPositionsOf(randoms);
      const client = await pool.connect();
      await client.query("begin");
      const actual = await appendWithin(client, requests, command);
      await client.query("commit");
      client.release();
      const expected: AppendVerdict[] = [];
      for (const request of requests) expected.push(await model.append(request, command));
      expect(actual.map((one, i) => essence(one, expected[i]))).toEqual(
        expected.map((one) => essence(one)),
      );
    }),
    { numRuns: 30 },
  );
});

/**
 * The model's positions have no gaps, so an `after` between them means another event there: items
 * count from the beginning, or from far beyond the end.
 */
function inPositionsOf(randoms: Parameters<typeof requestsOf>[0]): ReturnType<typeof requestsOf> {
  return requestsOf(randoms).map((request) => ({
    ...request,
    condition: request.condition.map((item) => ({
      ...item,
      after: (item.after % 3n === 0n ? 1_000_000n : 0n) as typeof item.after,
    })),
  }));
}
