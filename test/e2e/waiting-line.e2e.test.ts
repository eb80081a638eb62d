import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";
import { Client } from "pg";

import { ask, type Got } from "./refold-instance.ts";
import { RefoldProcess, temporaryFolder, until } from "./refold-process.ts";

/** Long enough to be killed within, and short enough to wait for. */
const offerSeconds = 6;

async function start(folder: string) {
  const process = new RefoldProcess(["start", "--data", folder, "--port", "0"], {
    REFOLD_OFFER_TIME: String(offerSeconds),
  });
  onTestFinished(async () => {
    if (process.isRunning) process.child.kill("SIGTERM");
    await process.ended;
  });
  const [, http = ""] = await process.printed(/listens on (http:\S+)/);
  const [, database = ""] = await process.printed(/database {2}(postgresql:\S+)/);
  return { process, http, database };
}

const register = (http: string, studentId: string): Promise<Got> =>
  ask(`${http}/registrations`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ moduleCode: "MA101", studentId, waitlist: true }),
  });

/** Waits until a registration stands as is wanted. */
const standing = (http: string, id: unknown, status: string): Promise<Got> =>
  until(
    async () => {
      const got = await ask(`${http}/registrations/${String(id)}`);
      return got.body["status"] === status ? got : undefined;
    },
    30_000,
    () => `a registration that is ${status}`,
  );

test("an offer that runs while the process is killed passes on when its time has come, once", async () => {
  const folder = join(await temporaryFolder(), "data");
  const first = await start(folder);
  const client = new Client({ connectionString: first.database });
  await client.connect();
  client.on("error", () => undefined);
  await client.query(
    `insert into catalogue.modules (code, title, capacity, fee_cents)
     values ('MA101', 'Algebra', 1, 500)`,
  );
  await client.end();
  const ada = await until(
    async () => {
      const got = await register(first.http, "ada");
      return got.status === 201 ? got.body["registrationId"] : undefined;
    },
    30_000,
    () => "the module on offer",
  );
  const ids = [];
  for (const student of ["eve", "bob"]) {
    const got = await register(first.http, student);
    expect(got).toMatchObject({ status: 202, body: { status: "waiting" } });
    ids.push(got.body["registrationId"]);
  }
  const [eve, bob] = ids;
  await ask(`${first.http}/registrations/${String(ada)}`, { method: "DELETE" });
  const offered = await standing(first.http, eve, "offered");
  first.process.child.kill("SIGKILL");
  await first.process.ended;

  const second = await start(folder);
  const { body: passed } = await standing(second.http, eve, "expired");
  expect(passed["offerExpiresAt"]).toBe(offered.body["offerExpiresAt"]);
  expect(Date.parse(String(passed["cancelledAt"]))).toBeGreaterThanOrEqual(
    Date.parse(String(offered.body["offerExpiresAt"])),
  );
  await standing(second.http, bob, "offered");
  const taken = await register(second.http, "bob");
  expect(taken).toMatchObject({ status: 201, body: { registrationId: bob, status: "held" } });
  const { body: seats } = await ask(`${second.http}/modules/MA101/availability`, {
    headers: { "refold-wait-for": taken.position ?? "" },
  });
  expect(seats).toMatchObject({ capacity: 1, held: 1, confirmed: 0, available: 0 });
});
