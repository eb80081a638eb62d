import { expect, test } from "vitest";

import { migrations as storeMigrations } from "../../connectors/postgres/event-store/migrations.ts";
import { PostgresEventStore } from "../../connectors/postgres/event-store/event-store.ts";
import { migrate } from "../../connectors/postgres/migrations.ts";
import { avroCodec } from "../../connectors/registry/avro-codec.ts";
import { migrations as registryMigrations } from "../../connectors/registry/migrations.ts";
import { PostgresRegistryStore, StoredSchemaRegistry } from "../../connectors/registry/index.ts";
import { Decider } from "../../engine/decision/decider.ts";
import { ManualClock, SeededRandom } from "../../engine/memory/clock.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { register, withdraw } from "../../processors/seats/index.ts";
import { all } from "../conformance/event-store.ts";
import { poolOfTest } from "../event-store/store.ts";

const origin = { correlationId: "test" };
const moduleCode = "MA101";
const offer = offerModule({
  moduleCode,
  title: "Algebra",
  capacity: 10,
  feeCents: 0,
  opensAt: null,
  closesAt: null,
});

test("processes on one store, each with its own codec, share the seats of a module", async () => {
  const pool = await poolOfTest(12);
  await migrate(pool, [...storeMigrations, ...registryMigrations]);
  const deciders = [1, 2, 3].map((seed) => {
    const registry = new StoredSchemaRegistry({ store: new PostgresRegistryStore({ pool }) });
    return new Decider({
      eventStore: new PostgresEventStore({ pool }),
      codec: avroCodec({ registry }),
      random: new SeededRandom(seed),
      clock: new ManualClock(),
      metrics: noMetrics,
    });
  });
  const process = (i: number): Decider => deciders[i % deciders.length] as Decider;
  await process(0).execute(offer, origin);
  const results = await Promise.all(
    Array.from({ length: 30 }, (_, i) =>
      process(i).execute(register({ moduleCode, studentId: `s${i}` }), origin),
    ),
  );
  const seats = results.flatMap((one) => (one.outcome === "accepted" ? [one.answer] : []));
  expect(seats).toHaveLength(10);
  // A decider that has not given the seat learns of it from the stored, framed event.
  const withdrawn = await Promise.all(
    seats.map(({ registrationId }) => process(2).execute(withdraw({ registrationId }), origin)),
  );
  expect(new Set(withdrawn.map((one) => one.outcome))).toEqual(new Set(["accepted"]));
  const stored = await all(new PostgresEventStore({ pool }));
  const counts = Object.groupBy(stored, ({ type }) => type.split(".").at(-1) ?? "");
  expect(counts["ModuleRegistered"]).toHaveLength(10);
  expect(counts["RegistrationCancelled"]).toHaveLength(10);
});
