import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { EventReader } from "../api/streams.ts";
import { workflows } from "./workflows.ts";
import { ask, availability, type Got, register } from "./refold-instance.ts";
import { type Ended, refold, type RefoldProcess, until } from "./refold-process.ts";

/** The whole system as its users have it: some processes on some servers, and nobody else on it. */
export interface JourneySystem extends AsyncDisposable {
  /** Of the API, as it listens now. */
  readonly http: string;
  readonly database: string;
  /** How other commands find the system: arguments, and settings of the environment. */
  readonly findBy: {
    readonly args: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
  };
  /** Ends every process of the system, one way or the other, and starts them again. */
  restart(how: "drained" | "killed"): Promise<void>;
  /** Kills a process that folds records, and starts another in its place. */
  killOne(): Promise<void>;
}

export interface Journeys {
  /** What the system stands on: `on Postgres alone`. */
  readonly on: string;
  readonly start: () => Promise<JourneySystem>;
  /** From the commit of a row in the catalogue to the offer. */
  readonly offeredWithinMs: number;
  readonly startTimeoutMs: number;
}

const answerMs = 30_000;

/** What users do, and what they rely on, whatever the system stands on. */
export function journeys({ on, start, offeredWithinMs, startTimeoutMs }: Journeys): void {
  describe(`the system ${on}`, () => {
    let system: JourneySystem;
    beforeAll(async () => {
      system = await start();
    }, startTimeoutMs);
    afterAll(() => system?.[Symbol.asyncDispose](), 60_000);

    test("a module inserted with SQL is on offer, and follows what its row becomes", async () => {
      await sql(system, insertModule("SQL-1", 3));
      const offered = await untilSeats("SQL-1", { available: 3 }, offeredWithinMs);
      expect(offered.body).toMatchObject({ capacity: 3, held: 0, confirmed: 0 });
      await sql(system, "update catalogue.modules set capacity = 9 where code = 'SQL-1'");
      await untilSeats("SQL-1", { capacity: 9, available: 9 });
      await sql(system, "delete from catalogue.modules where code = 'SQL-1'");
      await until(
        async () => ((await availability(system.http, "SQL-1")).status === 404 ? true : undefined),
        answerMs,
        () => "SQL-1 withdrawn",
      );
      const refused = await register(system.http, "SQL-1", "late");
      expect(refused).toMatchObject({ status: 404, body: { code: "module-unknown" } });
    });

    test("a command's writer finds what it wrote, through restarts and crashes", async () => {
      await sql(system, insertModule("OWN-1", 3));
      await untilSeats("OWN-1", { available: 3 });
      const first = await register(system.http, "OWN-1", "s-1");
      expect(first).toMatchObject({ status: 201, body: { status: "completed" } });
      const seen = await availability(system.http, "OWN-1", first.position);
      expect(seen.body).toMatchObject({ confirmed: 1, available: 2 });

      await system.restart("drained");
      const kept = await availability(system.http, "OWN-1", first.position);
      expect(kept.body).toMatchObject({ confirmed: 1, available: 2 });
      const again = await register(system.http, "OWN-1", "s-2");
      expect(again.status).toBe(201);

      await system.restart("killed");
      const survived = await availability(system.http, "OWN-1", again.position);
      expect(survived.body).toMatchObject({ confirmed: 2, available: 1 });
      const refused = await register(system.http, "OWN-1", "s-2");
      expect(refused).toMatchObject({ status: 409, body: { code: "already-registered" } });
    });

    test("thirty students race for twenty seats while a process is killed, and twenty have one", async () => {
      await sql(system, insertModule("RACE-1", 20));
      await untilSeats("RACE-1", { available: 20 });
      const students = Array.from({ length: 30 }, (_, at) => `student-${at}`);
      const answers = Promise.all(students.map((student) => untilAnswered("RACE-1", student)));
      await system.killOne();
      const given = (await answers).filter((answer) => answer === "seat");
      expect(given).toHaveLength(20);
      await untilSeats("RACE-1", { held: 0, confirmed: 20, available: 0 });
    });

    test("a browser hears of each change of seats, and later what it missed", async () => {
      await sql(system, insertModule("SSE-1", 5));
      await untilSeats("SSE-1", { available: 5 });
      const updates = `${system.http}/registration-updates?module=SSE-1`;
      const reader = await EventReader.open(updates);
      expect((await register(system.http, "SSE-1", "s-1")).status).toBe(201);
      await untilHeard(reader, 1);
      reader.response.destroy();
      expect((await register(system.http, "SSE-1", "s-2")).status).toBe(201);
      const resumed = await EventReader.open(updates, { "last-event-id": reader.lastId ?? "" });
      await untilHeard(resumed, 2);
      resumed.response.destroy();
    });

    test("status, the log and the doctor find the running system, and nothing wrong with it", async () => {
      const { args, environment } = system.findBy;
      let last: Ended | undefined;
      const status = await until(
        async () => {
          const told = await refold(["status", ...args], environment);
          last = told;
          return /seat-availability +projection +running +ok +0 /.test(told.out) ? told : undefined;
        },
        answerMs,
        () => `seat-availability told as running, not ${last?.out}${last?.err}`,
      );
      expect(status).toMatchObject({ code: 0, err: "" });
      expect(status.out).toMatch(/^running\ncapture running/);
      const log = await refold(["log", "read", "module-events", ...args, "--json"], environment);
      expect(log.out).toContain("OWN-1");
      const doctor = await refold(["doctor", ...args, "--json"], environment);
      const findings = JSON.parse(doctor.out) as { state: string }[];
      expect(findings.filter(({ state }) => state === "fault")).toEqual([]);
      expect(doctor.code).toBe(0);
    });

    test("the store holds each decision once, and the read model is what it says", async () => {
      const { rows } = await sql<{ code: string; confirmed: number }>(
        system,
        `select key as code,
           count(*) filter (where ce_type = 'refold.seats.RegistrationCompleted')::int as confirmed
         from refold.events where topic = 'module-events' group by 1 order by 1`,
      );
      expect(Object.fromEntries(rows.map(({ code, confirmed }) => [code, confirmed]))).toEqual({
        "OWN-1": 2,
        "RACE-1": 20,
        "SQL-1": 0,
        "SSE-1": 2,
      });
      for (const { code, confirmed } of rows) {
        if (code !== "SQL-1") await untilSeats(code, { confirmed, held: 0 });
      }
    });

    workflows({ http: () => system.http, sql: (text) => sql(system, text) });

    async function untilSeats(
      code: string,
      wanted: Readonly<Record<string, number>>,
      withinMs = answerMs,
    ): Promise<Got> {
      let last: Got | undefined;
      return until(
        async () => {
          last = await availability(system.http, code);
          const is = Object.entries(wanted).every(([name, value]) => last?.body[name] === value);
          return is ? last : undefined;
        },
        withinMs,
        () => `${code} with ${JSON.stringify(wanted)}, not ${JSON.stringify(last?.body)}`,
      );
    }

    /** Asks again where no answer came: a command that was carried out is told as such then. */
    function untilAnswered(code: string, student: string): Promise<"seat" | "none"> {
      return until(
        async () => {
          const got = await register(system.http, code, student).catch(() => undefined);
          if (got === undefined || got.status >= 500) return undefined;
          const { status, body } = got;
          if (status === 201 || body["code"] === "already-registered") return "seat";
          expect(got).toMatchObject({ status: 409, body: { code: "module-full" } });
          return "none";
        },
        answerMs,
        () => `an answer for ${student}`,
      );
    }
  });
}

const insertModule = (code: string, capacity: number): string =>
  `insert into catalogue.modules (code, title, capacity, fee_cents)
   values ('${code}', 'Programming', ${capacity}, 0)`;

async function sql<Row extends object>({ database }: JourneySystem, text: string) {
  const client = new Client({ connectionString: database });
  await client.connect();
  try {
    return await client.query<Row>(text);
  } finally {
    await client.end();
  }
}

async function untilHeard(reader: EventReader, confirmed: number): Promise<void> {
  await until(
    () => (JSON.stringify(reader.events).includes(`"confirmed":${confirmed}`) ? true : undefined),
    answerMs,
    () => `${confirmed} confirmed in ${JSON.stringify(reader.events)}`,
  );
}

/** Ready for commands and queries, whatever became of the processes before. */
export async function untilReady(http: string, processes: readonly RefoldProcess[]): Promise<void> {
  let last: Got | undefined;
  const said = () => processes.map(({ err }) => err).filter((err) => err !== "");
  await until(
    async () => {
      last = await ask(`${http}/readyz`).catch(() => undefined);
      return last?.status === 200 ? true : undefined;
    },
    60_000,
    () => [`${http} ready, not ${JSON.stringify(last?.body["behind"])}`, ...said()].join("\n"),
  );
}
