import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { refold, RefoldProcess, temporaryFolder, until } from "../e2e/refold-process.ts";
import { projectRoot } from "../support/source-tree.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

async function offer(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(
    `insert into catalogue.modules (code, title, capacity, fee_cents)
     values ('CS-101', 'Programming', 3, 0)`,
  );
  await client.end();
}

/** A started system, of which a student has got a seat. */
async function registered() {
  const folder = await temporaryFolder();
  const data = join(folder, "data");
  const spans = join(folder, "spans");
  const sdk = pathToFileURL(join(projectRoot, "test", "tracing", "registered-sdk.ts")).href;
  const environment = { NODE_OPTIONS: `--import ${sdk}`, SPANS: spans };
  const started = new RefoldProcess(
    ["start", "--data", data, "--port", "0"],
    environment,
    "nothing",
  );
  onTestFinished(async () => {
    started.child.kill("SIGTERM");
    await started.ended;
  });
  const [, url = ""] = await started.printed(/listens on (\S+)/);
  const [databaseUrl = ""] = await started.printed(/postgresql:\/\/[^\s"]+/);
  await offer(databaseUrl);
  // A span is of the registration's trace where no other record is in its batch: the offer is applied.
  await until(
    async () => ((await fetch(`${url}/modules/CS-101/availability`)).ok ? true : undefined),
    20_000,
    () => "the offer is applied",
  );
  const body = JSON.stringify({ moduleCode: "CS-101", studentId: "s-1" });
  const headers = { "content-type": "application/json", traceparent };
  const registrationId = await until(
    async () => {
      const answer = await fetch(`${url}/registrations`, { method: "POST", headers, body });
      return answer.status === 201
        ? ((await answer.json()) as { registrationId: string }).registrationId
        : undefined;
    },
    20_000,
    () => "the module is on offer",
  );
  return { data, url, spans, registrationId };
}

test("trace and why tell what came of a request, and a registered SDK gets its spans", async () => {
  const { data, url, spans, registrationId } = await registered();
  const traced = await until(
    async () => {
      const run = await refold(["trace", registrationId, "--data", data]);
      return /notice SeatAvailableChanged of CS-101/.test(run.out) ? run : undefined;
    },
    20_000,
    () => "a trace with its notice",
  );
  expect(traced.code).toBe(0);
  expect(traced.out).toMatch(new RegExp(`trace +${traceId}`));
  expect(traced.out).toMatch(/ POST \/registrations \S+\n.* {4}ModuleRegistered {2}module-events/);
  expect(traced.out).toMatch(`registrations ${registrationId}`);

  const told = await refold(["trace", traceId, "--json", "--data", data]);
  const overHttp = await (await fetch(`${url}/admin/traces/${traceId}`)).text();
  expect(JSON.parse(told.out)).toMatchObject({ traceIds: [traceId], cut: false });
  expect(JSON.parse(overHttp)).toEqual(JSON.parse(told.out));

  const why = await refold(["why", "registrations", registrationId, "--data", data]);
  expect(why).toMatchObject({ code: 0, err: "" });
  expect(why.out).toMatch(/ModuleRegistered .*\n {4}registrationId: /);
  expect(why.out).toContain("serves the same row.");

  const names = (await readFile(spans, "utf8"))
    .split("\n")
    .flatMap((line) => (line.startsWith(traceId) ? [line.slice(traceId.length + 1)] : []));
  for (const name of ["POST /registrations", "send module-events", "process module-events"]) {
    expect(names).toContain(name);
  }
  await expectHints(data);
});

/** What names nothing, or makes no sense, ends with its own exit code and says what to do. */
async function expectHints(data: string): Promise<void> {
  const unknown = [
    [["trace", "nobody"], 9, /No event has to do with nobody/],
    [["trace"], 2, /missing required argument/],
    [["trace", "x", "--events-max", "0"], 2, /whole number/],
    [["why", "registrations", "nobody"], 9, /No record has to do with a row nobody/],
    [["why", "nothing", "x"], 9, /nothing/],
    [["why", "registrations", "x", "--at", "soon"], 2, /neither an ISO 8601 time/],
  ] as const;
  const runs = unknown.map(([args]) => refold([...args, "--data", data]));
  for (const [at, ended] of (await Promise.all(runs)).entries()) {
    const [args, code, hint] = unknown[at] as (typeof unknown)[number];
    expect([args, ended.code, ended.out]).toEqual([args, code, ""]);
    expect(ended.err).toMatch(hint);
  }
}
