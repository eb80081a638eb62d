import { createHash } from "node:crypto";

import { expect, it, onTestFinished } from "vitest";

import {
  engineMigrations,
  makePool,
  migrate,
  PostgresEventStore,
  PostgresIdempotencyKeys,
} from "../../connectors/postgres/index.ts";
import { canonicalJson } from "../../engine/digest.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { encodePositionToken } from "../../engine/position-token.ts";
import { sequence } from "../../engine/position.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { storeOfTest } from "../app/store-of-test.ts";
import { databaseOfTest } from "../support/database.ts";
import { ada, processOn, registrationsIn } from "./keyed-commands.ts";
import { replayConformance } from "./replays.ts";
import { row } from "./server.ts";

replayConformance("in Postgres", async () => {
  const { pool, eventStore, codec } = await storeOfTest();
  return { eventStore, codec, idempotencyKeys: new PostgresIdempotencyKeys({ pool }) };
});

/** Steps from which on answers are kept with the events that they are about. */
const withEvents = ["idempotency-keys-2"];

it("tells an answer that was kept before answers had events as it stands", async () => {
  const pool = makePool({ url: await databaseOfTest(), name: "test" });
  onTestFinished(() => pool.end());
  const former = engineMigrations().filter(({ name }) => !withEvents.includes(name));
  await migrate(pool, former);
  const position = encodePositionToken({
    incarnation: "of before",
    lanes: [{ topic: "module-events", partition: 3, sequence: sequence(7n) }],
  });
  const told = {
    status: 201,
    headers: {
      "content-type": "application/json; charset=utf-8",
      location: "/registrations/r-1",
      "refold-position": position,
    },
    body: '{"registrationId":"r-1","moduleCode":"MA101","studentId":"ada","status":"completed","registeredAt":"2026-01-01T00:00:00.000Z","holdExpiresAt":null,"feeCents":0,"paymentId":null}',
  };
  const asked = createHash("sha256").update(`POST /registrations\n${canonicalJson(ada)}`);
  const mark = ["POST /registrations", "key-1", asked.digest("base64url"), JSON.stringify(told)];
  await pool.query(
    "select refold.keep_answers($1, $2, $3, $4)",
    mark.map((part) => [part]),
  );
  expect(await migrate(pool, engineMigrations())).toEqual(withEvents);

  const eventStore = new PostgresEventStore({ pool });
  const idempotencyKeys = new PostgresIdempotencyKeys({ pool });
  const store = { eventStore, idempotencyKeys, codec: new JsonCodec() };
  const { register, must } = await processOn(store);
  await must(offerModule(row));
  const answer = await register("key-1");
  expect(answer.statusCode).toBe(201);
  expect(answer.headers).toMatchObject({ ...told.headers, "idempotency-replayed": "true" });
  expect(answer.body).toBe(told.body);
  expect(await registrationsIn(store)).toBe(0);
});
