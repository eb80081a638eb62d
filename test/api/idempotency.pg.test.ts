import { expect, it } from "vitest";

import { PostgresIdempotencyKeys } from "../../connectors/postgres/idempotency-keys/index.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { storeOfTest } from "../app/store-of-test.ts";
import { processOn, registrationsIn } from "./keyed-commands.ts";
import { row } from "./server.ts";

const keys = Array.from({ length: 12 }, (_, at) => `key-${at}`);

it("does each keyed command once, however many processes get it at once, and tells all the same", async () => {
  const { pool, eventStore, codec } = await storeOfTest();
  const store = { eventStore, codec, idempotencyKeys: new PostgresIdempotencyKeys({ pool }) };
  const processes = await Promise.all([processOn(store), processOn(store), processOn(store)]);
  await processes[0]?.must(offerModule({ ...row, capacity: keys.length }));
  const asked = keys.flatMap((key) =>
    processes.map(async ({ register }) => {
      const payload = { moduleCode: "MA101", studentId: `student of ${key}` };
      let answer = await register(key, payload);
      // Somebody else is at it: the answer is there when it is asked for again.
      for (let again = 0; answer.statusCode === 409 && again < 200; again += 1) {
        expect(answer.json()).toMatchObject({ code: "idempotency-key-in-progress" });
        answer = await register(key, payload);
      }
      expect(answer.statusCode).toBe(201);
      return { key, body: answer.body, position: answer.headers["refold-position"] };
    }),
  );
  const answers = await Promise.all(asked);
  for (const key of keys) {
    const ofKey = answers.filter((answer) => answer.key === key);
    expect(ofKey).toHaveLength(processes.length);
    expect(new Set(ofKey.map(({ body }) => body)).size).toBe(1);
    expect(new Set(ofKey.map(({ position }) => position)).size).toBe(1);
  }
  expect(await registrationsIn(store)).toBe(keys.length);
});
