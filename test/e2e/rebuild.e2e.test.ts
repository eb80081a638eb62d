import { expect, onTestFinished, test } from "vitest";

import { seatAvailability } from "../../projections/seat-availability/index.ts";
import { readInstance } from "../../stack/data-folder/instance-file.ts";
import { codes, offeringInstance, query, untilState } from "./rebuild-instance.ts";
import { ask, availability, type Instance, register, startInstance } from "./refold-instance.ts";
import { refold, RefoldProcess, until } from "./refold-process.ts";

/** Registers students one after the other until it is stopped. */
function registering(http: () => string) {
  const load = { running: true, accepted: new Map<string, number>(), refused: [] as unknown[] };
  const working = (async () => {
    for (let n = 0; load.running; n += 1) {
      const code = codes[n % codes.length] ?? codes[0];
      const { status, body } = await register(http(), code, `s-${n}`);
      if (status === 201) load.accepted.set(code, (load.accepted.get(code) ?? 0) + 1);
      else load.refused.push(body);
    }
  })();
  const stop = async () => {
    load.running = false;
    await working;
    return load;
  };
  onTestFinished(async () => void (await stop().catch(() => undefined)));
  return { load, stop };
}

/** Asks for seats until it is stopped: what was told never goes back. */
function querying(http: string) {
  const asked = { running: true, answers: 0, faults: [] as string[] };
  const last = new Map<string, number>();
  const working = (async () => {
    while (asked.running) {
      for (const code of codes) {
        const { status, body } = await availability(http, code);
        asked.answers += 1;
        const confirmed = Number(body["confirmed"]);
        if (status !== 200) asked.faults.push(`${code}: ${status} ${JSON.stringify(body)}`);
        else if (confirmed < (last.get(code) ?? 0)) asked.faults.push(`${code} went back`);
        last.set(code, Math.max(confirmed, last.get(code) ?? 0));
      }
    }
  })();
  const stop = async () => {
    asked.running = false;
    await working;
    return asked;
  };
  onTestFinished(async () => void (await stop().catch(() => undefined)));
  return stop;
}

async function expectSeats({ http }: Pick<Instance, "http">, taken: ReadonlyMap<string, number>) {
  for (const code of codes) {
    await until(
      async () =>
        (await availability(http, code)).body["confirmed"] === (taken.get(code) ?? 0) || undefined,
      20_000,
      () => `${code} with ${taken.get(code)} seats`,
    );
  }
}

test("a rebuild is proved and swapped in under live commands, and undone, while no query fails or goes back", async () => {
  const { http, rebuild } = await offeringInstance();
  const work = registering(() => http);
  const queries = querying(http);
  const dry = await rebuild("seat-availability", "--dry-run");
  expect(dry).toMatchObject({ code: 0, err: "" });
  expect(dry.out).toMatch(/from the log's beginning\n.*module-events\/0/s);
  const done = await rebuild("seat-availability", "--yes", "--reason", "to be sure");
  expect(done, done.out).toMatchObject({ code: 0, err: "" });
  expect(done.out).toMatch(/proved: .* same rows/);
  expect(done.out).toMatch(/rebuild 1 swapped: generation 2 serves/);
  const json = JSON.parse((await rebuild("show", "1", "--json")).out) as Record<string, unknown>;
  expect(json).toMatchObject({ id: "1", state: "swapped", reason: "to be sure" });
  expect(json).toMatchObject({ proof: { equal: true, recount: "equal" } });
  const undone = await rebuild("undo", "1", "--reason", "not wanted");
  expect(undone, undone.out).toMatchObject({ code: 0, err: "" });
  expect((await rebuild("undo", "1")).code).toBe(1);
  const { answers, faults } = await queries();
  expect(answers).toBeGreaterThan(10);
  expect(faults).toEqual([]);
  const { accepted, refused } = await work.stop();
  expect(refused).toEqual([]);
  await expectSeats({ http }, accepted);
  const list = await rebuild("list");
  expect(list.out).toMatch(
    new RegExp(`seat-availability\\s+${seatAvailability.version}\\s+undone`),
  );
});

test("a row planted by hand is found, keeps a rebuild from being swapped in, and is gone after one that is accepted", async () => {
  const { folder, http, database, rebuild } = await offeringInstance();
  await query(
    database,
    `update read."seat-availability__g1" set held = held + 7 where key = 'CS-102'`,
  );
  const audit = await refold(["audit", "seat-availability", "--data", folder]);
  expect(audit.code).toBe(1);
  expect(audit.out).toMatch(/CS-102\s+held\s+7\s+0/);
  const refused = await rebuild("seat-availability", "--yes");
  expect(refused.code).toBe(1);
  expect(refused.out).toMatch(/CS-102: 7 -> 0/);
  expect(refused.out).toContain("refold rebuild resume 1 --accept");
  const [, file = ""] = /all differing rows: (\S+)/.exec(refused.out) ?? [];
  expect(file).toContain(folder);
  const second = await rebuild("seat-availability", "--yes");
  expect(second).toMatchObject({ code: 1 });
  expect(second.err).toMatch(/Rebuild 1 of seat-availability is prov/);
  expect((await availability(http, "CS-102")).body).toMatchObject({ held: 7 });
  const resumed = await rebuild("resume", "1", "--accept", "--yes");
  expect(resumed, resumed.out).toMatchObject({ code: 0, err: "" });
  expect((await availability(http, "CS-102")).body).toMatchObject({ held: 0 });
  const sound = await refold(["audit", "seat-availability", "--data", folder]);
  expect(sound, sound.out).toMatchObject({ code: 0 });
  const other = await rebuild("registrations", "--json");
  expect(JSON.parse(other.out)).toMatchObject({ state: "swapped", projection: "registrations" });
});

test("a rebuild goes on when the command that conducts it is killed, and when the server is", async () => {
  const { folder, http, rebuild } = await offeringInstance();
  const work = registering(() => http);
  const args = ["rebuild", "seat-availability", "--yes", "--data", folder];
  const command = new RefoldProcess(args, {}, "nothing");
  await command.printed(/rebuild 1 planned/);
  command.child.kill("SIGKILL");
  expect(await command.ended).toMatchObject({ signal: "SIGKILL" });
  const { accepted } = await work.stop();
  await untilState(() => http, "1", "swapped");
  const started = await ask(`${http}/admin/rebuilds`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ projection: "seat-availability", reason: "the server dies now" }),
  });
  expect(started.status).toBe(202);
  process.kill((await readInstance(folder))?.pid ?? 0, "SIGKILL");
  const next = await startInstance(folder);
  await untilState(() => next.http, "2", "swapped");
  await expectSeats(next, accepted);
  const abandoned = await rebuild("abandon", "2");
  expect(abandoned.code).toBe(1);
  expect(abandoned.err).toContain("it can't be abandoned");
});

test("commands about rebuilds say what is wrong with them", async () => {
  const { folder, rebuild } = await offeringInstance();
  const at = ["--data", folder];
  const ended = await Promise.all([
    rebuild("seats"),
    rebuild("show", "77"),
    rebuild("show", "x"),
    rebuild("seat-availability", "--from", "yesterday"),
    rebuild("seat-availability", "--keep", "soon"),
    refold(["at", "never", "seat-availability", ...at]),
    refold(["heal", "seats", "--key", "CS-101", ...at]),
    refold(["preview", "seat-availability", "--with", "/none.ts", ...at]),
    refold(["at", "1s", "seat-availability", "--key", "CS-999", ...at]),
  ]);
  expect(ended.map(({ code }) => code)).toEqual([9, 9, 2, 2, 2, 2, 9, 2, 9]);
  for (const { err } of ended) expect(err).toMatch(/^(refold|error): /);
});
