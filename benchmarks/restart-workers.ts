/**
 * Workers on Kafka are killed with -9 all at once, under a steady load of registrations, and started
 * again at once: how long from the kill until the first record is applied, and until every partition
 * has moved on. API and capture (the embedded one, into Kafka) are processes of their own and go on.
 * Checked before a figure is printed: every registration that was accepted is in the read model, and
 * its modules have as many seats taken.
 *
 * Servers are those of DATABASE_URL and KAFKA_BROKERS, which keep what is registered; without both of
 * them a broker (Java and Maven) and a Postgres are started for it.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { Client } from "pg";

import { startKafka } from "../stack/services/kafka.ts";
import { startEmbeddedPostgres } from "../stack/postgres/embedded-postgres.ts";
import { type MeasuredInstance, offerModules, queryRows, waitUntil } from "./_instance.ts";
import { RegistrationLoad } from "./_registration-load.ts";
import { RoleProcess } from "./_roles.ts";
import { medianOf } from "./harness/result.ts";
import { tell, tellChecked } from "./harness/tell.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    workers: { type: "string", default: "2" },
    perSecond: { type: "string", default: "100" },
  },
});
const count = Number(values.workers);
const perSecond = Number(values.perSecond);
const projection = "seat-availability";

/** Longer than a flush that was on its way at the kill takes to become durable or not. */
const settleMs = 500;
const withinMs = 120_000;

/** Where the serving rows stand, by partition. */
async function positionsOf(client: Client): Promise<Map<number, bigint>> {
  const { rows } = await client.query<{ partition: number; at: string }>(
    `select partition, next_offset::text as at from refold.positions
     where consumer = $1 and next_offset is not null`,
    [projection],
  );
  return new Map(rows.map(({ partition, at }) => [partition, BigInt(at)]));
}

const startWorkers = (settings: Readonly<Record<string, string>>): RoleProcess[] =>
  Array.from({ length: count }, () => new RoleProcess(["worker"], settings));

interface Round {
  readonly firstMs: number;
  readonly allMs: number;
}

/** From the kill, which all have had by now, until partitions move on from where they stood then. */
async function watch(client: Client, killedMs: number): Promise<Round> {
  await sleep(settleMs);
  const stood = await positionsOf(client);
  let firstMs = Number.NaN;
  for (;;) {
    const now = await positionsOf(client);
    const elapsedMs = performance.now() - killedMs;
    const moved = [...stood].filter(([partition, at]) => (now.get(partition) ?? at) > at).length;
    if (moved > 0 && Number.isNaN(firstMs)) firstMs = elapsedMs;
    if (moved === stood.size) return { firstMs, allMs: elapsedMs };
    if (elapsedMs > withinMs) {
      throw new Error(`${stood.size - moved} partitions stood still for ${withinMs} ms.`);
    }
    await sleep(20);
  }
}

async function check(
  instance: MeasuredInstance,
  accepted: ReadonlyMap<string, number>,
): Promise<void> {
  const codes = [...accepted.keys()];
  const all = [...accepted.values()].reduce((sum, each) => sum + each, 0);
  await waitUntil("the read model has every registration", async () => {
    const [found] = await queryRows<{ rows: number }>(
      instance,
      `select count(*)::int4 as rows from read."registrations" where module_code = any ($1)`,
      [codes],
    );
    return found?.rows === all;
  });
  await waitUntil("the seats are counted of as many", async () => {
    const [found] = await queryRows<{ seats: number }>(
      instance,
      `select sum(confirmed)::int4 as seats from read."${projection}" where module_code = any ($1)`,
      [codes],
    );
    return (found?.seats ?? 0) >= all;
  });
  const seats = await queryRows<{ code: string; confirmed: number }>(
    instance,
    `select module_code as code, confirmed from read."${projection}" where module_code = any ($1)`,
    [codes],
  );
  const wrong = seats.filter(({ code, confirmed }) => confirmed !== accepted.get(code));
  if (wrong.length > 0) throw new Error(`Seats differ from answers: ${JSON.stringify(wrong)}.`);
  tellChecked(`the read models have the ${all} accepted registrations and no other`);
}

async function measure(settings: Readonly<Record<string, string>>): Promise<void> {
  await using capture = new RoleProcess(["capture"], settings);
  await using api = new RoleProcess(["api", "--port", "0"], settings);
  let workers = startWorkers(settings);
  const client = new Client({ connectionString: settings["DATABASE_URL"] });
  await client.connect();
  const ending = new AbortController();
  try {
    await capture.printed(/The capture runs/);
    const [, httpUrl = ""] = await api.printed(/listens on (http:\S+?)\. /);
    for (const worker of workers) await worker.printed(/The worker runs/);
    const databaseUrl = settings["DATABASE_URL"] ?? "";
    const none = async () => undefined;
    const place = { httpUrl, databaseUrl, pid: 0, options: [], settings };
    const instance: MeasuredInstance = { ...place, [Symbol.asyncDispose]: none };
    const codes = await offerModules(instance, { modules: 50, capacity: 1_000_000 });
    const load = new RegistrationLoad({ httpUrl, codes, perSecond });
    const running = load.run(ending.signal);
    const rounds: Round[] = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      await Promise.race([sleep(3_000), running]);
      const killedMs = performance.now();
      await Promise.all(workers.map((worker) => worker.kill("SIGKILL")));
      workers = startWorkers(settings);
      rounds.push(await watch(client, killedMs));
    }
    ending.abort();
    await running;
    await check(instance, load.accepted);
    tellRounds(rounds);
  } finally {
    ending.abort();
    await client.end();
    await Promise.all(workers.map((worker) => worker.kill("SIGKILL")));
  }
}

function tellRounds(rounds: readonly Round[]): void {
  const figure = { unit: "ms", better: "less", role: "measured" } as const;
  const kinds = { "first record applied": "firstMs", "every partition moves on": "allMs" } as const;
  for (const [name, key] of Object.entries(kinds) as [string, keyof Round][]) {
    const sorted = rounds.map((round) => round[key]).toSorted((one, other) => one - other);
    tell({ ...figure, name: `${name}, median`, value: medianOf(sorted) });
    tell({ ...figure, name: `${name}, largest`, value: sorted.at(-1) ?? Number.NaN });
  }
}

const given = {
  DATABASE_URL: process.env["DATABASE_URL"],
  KAFKA_BROKERS: process.env["KAFKA_BROKERS"],
};
const { DATABASE_URL, KAFKA_BROKERS } = given;
if (DATABASE_URL && KAFKA_BROKERS) {
  await measure({ DATABASE_URL, KAFKA_BROKERS, CAPTURE: "embedded" });
} else {
  const folder = await mkdtemp(join(tmpdir(), "refold-bench-"));
  await chmod(folder, 0o755);
  const cache = join(homedir(), ".cache", "refold", "stack");
  const broker = await startKafka({ cache, data: folder });
  const postgres = await startEmbeddedPostgres({
    folder,
    settings: { max_connections: "200" },
  });
  try {
    const place = { DATABASE_URL: postgres.url, KAFKA_BROKERS: broker.url };
    await measure({ ...place, CAPTURE: "embedded" });
  } finally {
    await postgres.stop("immediate");
    await broker.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
