import { randomUUID } from "node:crypto";

import { expect, it } from "vitest";

import { appendWithin } from "../../connectors/postgres/event-store/append-within.ts";
import { KeyHistory } from "../../engine/history/refold-key.ts";
import type { HistorySource } from "../../engine/history/source.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import type { JsonCodec } from "../../engine/memory/json-codec.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import type { NewEvent } from "../../engine/ports/event-store.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { register, withdraw } from "../../processors/seats/index.ts";
import { seatAvailability } from "../../projections/seat-availability/index.ts";
import { ModuleRegistered } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { realClock } from "../api/real-clock.ts";
import { row } from "../api/server.ts";
import { mustExecute, storeOfTest } from "./store-of-test.ts";

const seat = (studentId: string) => register({ moduleCode: "MA101", studentId });

it("tells the seats as they were when each event was recorded", async () => {
  const { decider, ...source } = await storeOfTest();
  const mine = decider(realClock);
  const offered = await mustExecute(mine, offerModule(row));
  await realClock.sleep(2);
  const first = await mustExecute(mine, seat("ada"));
  await realClock.sleep(2);
  const { registrationId } = first.answer;
  const gone = await mustExecute(mine, withdraw({ registrationId }));
  await realClock.sleep(2);
  const past = pastOf(source);
  const at = async (ms: number) => (await past.asOf(seatAvailability.name, "MA101", ms)).row;
  expect(await at(offered.recordedAtMs - 1)).toBeUndefined();
  expect(await at(offered.recordedAtMs)).toMatchObject({ capacity: 2, confirmed: 0 });
  expect(await at(first.recordedAtMs)).toMatchObject({ confirmed: 1 });
  expect(await at(gone.recordedAtMs)).toMatchObject({ confirmed: 0 });
  await expect(at(gone.recordedAtMs + 60_000)).rejects.toMatchObject({ code: "at-in-future" });
});

it("waits for an append that was recorded before the time and has not committed", async () => {
  const { decider, pool, ...source } = await storeOfTest();
  await mustExecute(decider(realClock), offerModule(row));
  const client = await pool.connect();
  await client.query("begin");
  const seated = { registrationId: "r-1", moduleCode: "MA101", studentId: "ada", feeCents: 0 };
  const event = { ...seated, enrolmentId: null, holdExpiresAt: null, acceptedOffer: false };
  const [verdict] = await appendWithin(
    client,
    [{ events: [registeredEvent(source.codec, event)], condition: [] }],
    { as: "command" },
  );
  expect(verdict?.outcome).toBe("appended");
  await realClock.sleep(2);
  const atMs = await source.eventStore.nowMs();
  await realClock.sleep(2);
  let answered = false;
  const past = pastOf(source);
  const asked = past.asOf(seatAvailability.name, "MA101", atMs).finally(() => {
    answered = true;
  });
  await expect.poll(() => waiting(client)).toBe(1);
  expect(answered).toBe(false);
  await client.query("commit");
  client.release();
  expect(await asked).toMatchObject({ row: { held: 1 } });
});

/** Rows of seats are told by the event store alone: there is nothing in this log. */
const pastOf = (source: Pick<HistorySource, "eventStore" | "codec">): KeyHistory =>
  new KeyHistory({
    ...source,
    log: new MemoryRecordLog(),
    clock: realClock,
    random: new SeededRandom(),
    projections: [seatAvailability],
    captureGraceMs: 0,
  });

function registeredEvent(codec: JsonCodec, event: ModuleRegistered): NewEvent {
  return {
    id: randomUUID(),
    type: ModuleRegistered.fullName,
    topic: moduleEvents.name,
    partition: partitionOf(event.moduleCode, moduleEvents.partitions),
    key: event.moduleCode,
    value: codec.encode(moduleEvents, ModuleRegistered, event),
    tags: [`module:${event.moduleCode}`],
    correlationId: "test",
  };
}

interface Queryable {
  query(sql: string): Promise<{ rows: { waiting: number }[] }>;
}

/** Sessions of this database that wait for a lock. */
async function waiting(client: Queryable): Promise<number> {
  const { rows } = await client.query(
    `select count(*)::int as waiting from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rows[0]?.waiting ?? 0;
}
