import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { readInstance } from "../../stack/data-folder/instance-file.ts";
import { ask, type Instance, register, startInstance } from "../e2e/refold-instance.ts";
import { temporaryFolder } from "../e2e/refold-process.ts";
import { until } from "../engine/process.ts";

const students = Array.from({ length: 40 }, (_, at) => `student-${at}`);
const feeCents = 500;
/** Shorter than a lease of an effect: a process that is alone needn't wait for those of the dead. */
const patienceMs = 25_000;

/** One life of the whole application, with a connection to its database. */
interface Running {
  readonly instance: Instance;
  readonly count: (sql: string) => Promise<number>;
  readonly run: (sql: string) => Promise<void>;
  readonly kill: () => Promise<void>;
}

async function start(folder: string): Promise<Running> {
  const settings = join(folder, "settings");
  // Every charge is made, and two of its answers get lost.
  await writeFile(settings, "REFOLD_SANDBOX_CARD=tok_lost_answer\n");
  const data = join(folder, "data");
  const instance = await startInstance(data, ["--env-file", settings]);
  const client = new Client({ connectionString: instance.database });
  client.on("error", () => undefined);
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  return {
    instance,
    count: async (sql) => Number((await client.query<{ n: unknown }>(sql)).rows[0]?.n),
    run: async (sql) => void (await client.query(sql)),
    kill: async () => {
      process.kill((await readInstance(data))?.pid ?? 0, "SIGKILL");
      await instance.process.ended;
    },
  };
}

const charges = "select count(*) as n from sandbox.charges where refused is null";
const refunds = "select count(*) as n from sandbox.refunds";
const refundedCents = "select sum(amount_cents) as n from sandbox.refunds";
const askedLeast = "select min(asked) as n from sandbox.charges";
const events = (type: string): string =>
  `select count(*) as n from refold.events where ce_type like '%.${type}'`;

test(
  "kills in the middle of payments and refunds: one charge and one refund each",
  async () => {
    const folder = await temporaryFolder();
    const first = await start(folder);
    await first.run(
      `insert into catalogue.modules (code, title, capacity, fee_cents)
       values ('MA101', 'Algebra', 1000, ${feeCents})`,
    );
    const offered = events("ModuleOffered");
    await until("the module is offered", async () => (await first.count(offered)) === 1, 10_000);
    const { http } = first.instance;
    const held = await Promise.all(students.map((student) => register(http, "MA101", student)));
    expect(new Set(held.map(({ status }) => status))).toEqual(new Set([201]));
    await until("some are charged", async () => (await first.count(charges)) > 0, 10_000);
    await first.kill();

    const second = await start(folder);
    const all = students.length;
    const completed = events("RegistrationCompleted");
    const done = async (): Promise<boolean> => (await second.count(completed)) === all;
    await until("all registrations are completed", done, patienceMs);
    expect(await second.count(charges)).toBe(all);
    expect(await second.count(events("PaymentConfirmed"))).toBe(all);
    expect(await second.count(askedLeast)).toBeGreaterThan(2);
    const ids = held.map(({ body }) => String(body["registrationId"]));
    const { http: again } = second.instance;
    await Promise.all(ids.map((id) => ask(`${again}/registrations/${id}`, { method: "DELETE" })));
    await until("some are paid back", async () => (await second.count(refunds)) > 0, 10_000);
    await second.kill();

    const third = await start(folder);
    const refunded = events("PaymentRefunded");
    const back = async (): Promise<boolean> => (await third.count(refunded)) === all;
    await until("all is paid back", back, patienceMs);
    expect(await third.count(refundedCents)).toBe(all * feeCents);
    expect(await third.count(charges)).toBe(all);
  },
  3 * patienceMs,
);
