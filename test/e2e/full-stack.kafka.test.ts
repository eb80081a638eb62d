import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startStack, type Stack } from "../../stack/services/index.ts";
import { refold, RefoldProcess, until } from "./refold-process.ts";

/** A whole stack of the test's own: it is filled, and its connectors are taken away. */
let stack: Stack;
let folder: string;
let settings: Record<string, string>;
const running: RefoldProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refold-full-"));
  const cache = join(homedir(), ".cache", "refold", "stack");
  stack = await startStack({ cache, data: folder });
  settings = { ...stack.environment };
}, 240_000);

afterAll(async () => {
  for (const { child } of running) child.kill("SIGKILL");
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

function start(args: readonly string[], more: Record<string, string> = {}): RefoldProcess {
  const started = new RefoldProcess(args, { ...settings, ...more });
  running.push(started);
  return started;
}

async function sql<Row extends object>(text: string): Promise<Row[]> {
  const client = new Client({ connectionString: settings["DATABASE_URL"] });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

let api: string;

interface Seats {
  readonly capacity: number;
  readonly confirmed: number;
  readonly available: number;
}

async function seatsOf(code: string): Promise<Seats | undefined> {
  const response = await fetch(`${api}/modules/${code}/availability`);
  return response.ok ? ((await response.json()) as Seats) : undefined;
}

/** Gives the status of each answer. */
function register(code: string, students: readonly number[]): Promise<number[]> {
  return Promise.all(
    students.map(async (student) => {
      const response = await fetch(`${api}/registrations`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ moduleCode: code, studentId: `student-${student}` }),
      });
      await response.arrayBuffer();
      return response.status;
    }),
  );
}

const offer = (code: string, capacity: number): Promise<unknown> =>
  sql(`insert into catalogue.modules (code, title, capacity, fee_cents)
       values ('${code}', 'Module ${code}', ${capacity}, 0)`);

async function untilSeats(code: string, wanted: Partial<Seats>): Promise<void> {
  await until(
    async () => {
      const seats = await seatsOf(code);
      return seats && expectLike(seats, wanted) ? seats : undefined;
    },
    30_000,
    () => `${code} with ${JSON.stringify(wanted)}`,
  );
}

const expectLike = (seats: Seats, wanted: Partial<Seats>): boolean =>
  Object.entries(wanted).every(([name, value]) => seats[name as keyof Seats] === value);

const students = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => from + at);

describe("the system on Kafka, Debezium and a registry", () => {
  test("doesn't take a command before the connectors' slots are there", async () => {
    const { code, err } = await start(["start", "--port", "0"]).ended;
    expect(err).toMatch(/no replication slot refold_events.*Run refold connectors apply first/s);
    expect(code).toBe(1);
  }, 60_000);

  test("connectors are applied, and said to run", async () => {
    const applied = await refold(["connectors", "apply"], settings);
    expect(applied.out).toMatch(/refold-events +made, runs\nrefold-catalogue +made, runs/);
    const status = await refold(["connectors", "status"], settings);
    expect(status).toMatchObject({ code: 0, err: "" });
  }, 90_000);

  test("an API and two workers share the work, and one of them may be killed", async () => {
    const [one] = [start(["worker"]), start(["worker"])];
    const [, url = ""] = await start(["api", "--port", "0"]).printed(/listens on (http:\S+?)\. /);
    api = url;
    await offer("AAA", 20);
    await untilSeats("AAA", { available: 20 });
    const answers = register("AAA", students(0, 30));
    one.child.kill("SIGKILL");
    expect((await answers).filter((status) => status === 201)).toHaveLength(20);
    await untilSeats("AAA", { confirmed: 20, available: 0 });
    await offer("BBB", 5);
    await untilSeats("BBB", { available: 5 });
    expect(await register("BBB", students(0, 3))).toEqual([201, 201, 201]);
    await untilSeats("BBB", { confirmed: 3 });
  }, 120_000);

  test("the doctor finds nothing wrong", async () => {
    const { out, code } = await refold(["doctor", "--json"], settings);
    const findings = JSON.parse(out) as { state: string; what: string }[];
    expect(findings.filter(({ state }) => state === "fault")).toEqual([]);
    expect(code).toBe(0);
  }, 60_000);

  test("the embedded capture takes over from Debezium, and nothing is lost or doubled", async () => {
    const capture = start(["capture"], { CAPTURE: "embedded" });
    await capture.printed(/The capture runs/);
    expect(await register("BBB", students(3, 1))).toEqual([201]);
    await untilSeats("BBB", { confirmed: 4 });
    for (const name of ["refold-events", "refold-catalogue"]) {
      await fetch(`${settings["CONNECT_URL"]}/connectors/${name}`, { method: "DELETE" });
    }
    expect(await register("BBB", students(4, 1))).toEqual([201]);
    await sql("update catalogue.modules set capacity = 9 where code = 'BBB'");
    await offer("CCC", 7);
    await untilSeats("CCC", { available: 7 });
    await untilSeats("BBB", { capacity: 9, confirmed: 5, available: 4 });
    await untilSeats("AAA", { capacity: 20, confirmed: 20, available: 0 });
    const recorded = await sql<{ type: string; events: string }>(
      "select ce_type as type, count(*)::text as events from refold.events group by 1 order by 1",
    );
    expect(Object.fromEntries(recorded.map(({ type, events }) => [type, events]))).toEqual({
      "refold.modules.ModuleOffered": "3",
      "refold.modules.ModuleCapacityChanged": "1",
      "refold.seats.ModuleRegistered": "25",
      "refold.seats.RegistrationCompleted": "25",
    });
  }, 120_000);
});
