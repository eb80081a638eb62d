import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startConnect } from "../../../stack/services/connect.ts";
import { startStack, type Service, type Stack } from "../../../stack/services/index.ts";
import { refold, RefoldProcess, until } from "../../e2e/refold-process.ts";
import { adminOf } from "../../kafka/cluster-of-test.ts";
import { copyIn } from "../../parity/copy-in.ts";
import { audit } from "../audit.ts";
import { Surge } from "../surge.ts";

const rowCount = 50_000;
const cache = join(homedir(), ".cache", "refold", "stack");

/** A whole stack of the test's own: a part of it is killed. */
let stack: Stack;
let data: string;
let settings: Readonly<Record<string, string>>;
let connectAgain: Service | undefined;
const running: RefoldProcess[] = [];

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "refold-connect-"));
  stack = await startStack({ cache, data });
  settings = { ...stack.environment, CAPTURE: "debezium" };
}, 240_000);

afterAll(async () => {
  for (const { child } of running) child.kill("SIGKILL");
  await connectAgain?.stop();
  await stack?.stop();
  await rm(data, { recursive: true, force: true });
}, 60_000);

function service(name: string): Service {
  const found = stack.services.find((one) => one.name === name);
  if (!found) throw new Error(`The stack has no ${name}.`);
  return found;
}

function started(args: readonly string[]): RefoldProcess {
  const process = new RefoldProcess(args, settings, "nothing");
  running.push(process);
  return process;
}

async function copyModules(client: Client): Promise<void> {
  const rows = Array.from(
    { length: rowCount },
    (_, at) => `C-${at}\tCopied ${at}\t${at % 50}\t0\n`,
  );
  const statement = "copy catalogue.modules (code, title, capacity, fee_cents) from stdin";
  await copyIn(client, statement, rows.join(""));
}

/** Kills the worker when it has published a part of the rows, and starts one anew. */
async function killConnectAmid(topic: string): Promise<number> {
  const admin = await adminOf([service("kafka").url]);
  const published = async (): Promise<number> => {
    const ends = await admin.fetchTopicOffsets(topic);
    return ends.reduce((sum, { high }) => sum + Number(high), 0);
  };
  try {
    const wanted = async () => ((await published()) > 1_000 ? true : undefined);
    await until(wanted, 60_000, () => "a part of the rows published");
    process.kill(service("connect").pid, "SIGKILL");
    const before = await published();
    connectAgain = await startConnect({ cache, data }, service("kafka"));
    return before;
  } finally {
    await admin.disconnect();
  }
}

test("Connect dies in the middle of 50,000 copied rows and comes back, and nothing is lost or doubled", async () => {
  const applied = await refold(["connectors", "apply"], settings);
  expect(applied, applied.err).toMatchObject({ code: 0 });
  const worker = started(["worker"]);
  const api = started(["api", "--port", "0"]);
  await worker.printed(/The worker runs/, 60_000);
  const [, http = ""] = await api.printed(/listens on (http:\S+?)\. /, 60_000);
  const database = settings["DATABASE_URL"] ?? "";
  const client = new Client({ connectionString: database });
  await client.connect();
  try {
    const [published] = await Promise.all([
      killConnectAmid("refold.catalogue.modules"),
      copyModules(client),
    ]);
    expect(published).toBeLessThan(rowCount);
    const shown = async () => {
      const { rows } = await client.query<{ count: number }>(
        `select count(*)::int from read."module-catalogue"`,
      );
      return (rows[0]?.count ?? 0) >= rowCount ? true : undefined;
    };
    await until(shown, 120_000, () => `all modules on offer; ${worker.err}`);
  } finally {
    await client.end();
  }
  const nobody = new Surge({ modules: 0, capacity: 0, clients: 0 });
  const { modules } = await audit({ database, http, settings }, nobody);
  expect(modules.size).toBe(rowCount + 1);
}, 280_000);
