import { setTimeout as delay } from "node:timers/promises";

import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type RefoldProcess, until } from "../../e2e/refold-process.ts";
import { adminOf } from "../../kafka/cluster-of-test.ts";
import { audit } from "../audit.ts";
import { during, untilAccepted, untilReady } from "../surge-on-instance.ts";
import { Surge } from "../surge.ts";
import { Freshness } from "./freshness.ts";
import { Roles } from "./roles.ts";

const rounds = Number(process.env["REFOLD_ROUNDS"] ?? 2);
/** Above the leases' 5 s. */
const pauseMs = 1_000 * Number(process.env["REFOLD_PAUSE_SECONDS"] ?? 8);

let roles: Roles;
let workers: RefoldProcess[];
const surge = new Surge({ modules: 12, capacity: 40, clients: 16, restMs: 20 });

beforeAll(async () => {
  roles = await Roles.start();
  workers = [await roles.worker(), await roles.worker()];
  await surge.offer(roles.instance);
});

afterAll(() => roles?.[Symbol.asyncDispose]());

async function inDatabase<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: roles.instance.database });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Holds every worker's flush up in the middle of its transaction, and does something then. */
function amidFlushes(work: () => Promise<void>): Promise<void> {
  return inDatabase(async (client) => {
    await client.query(
      `begin; lock table read."seat-availability__g1" in share row exclusive mode`,
    );
    await until(
      async () => {
        const { rows } = await client.query(
          `select distinct pid from pg_locks where not granted
           and relation = 'read."seat-availability__g1"'::regclass`,
        );
        return rows.length >= workers.length ? true : undefined;
      },
      20_000,
      () => "each worker in a flush",
    );
    await work();
    await client.query("commit");
  });
}

async function killOne(): Promise<void> {
  const victim = workers.shift();
  victim?.child.kill("SIGKILL");
  await victim?.ended;
}

test(
  `${rounds} workers that are killed in the middle of a flush lose and double nothing`,
  async () => {
    for (let round = 0; round < rounds; round += 1) {
      await during(surge, roles.instance, async () => {
        await (round % 2 === 0 ? amidFlushes(killOne) : killOne());
        await untilAccepted(surge, roles.instance);
      });
      workers.push(await roles.worker());
    }
    await audit(roles.instance, surge);
  },
  60_000 + rounds * 20_000,
);

test(
  "a worker that wakes as a zombie, its partitions long another's, changes nothing",
  async () => {
    const [zombie] = workers;
    await during(surge, roles.instance, async () => {
      await amidFlushes(async () => void zombie?.child.kill("SIGSTOP"));
      await delay(pauseMs);
      await untilAccepted(surge, roles.instance);
      zombie?.child.kill("SIGCONT");
      await untilAccepted(surge, roles.instance);
    });
    await untilReady(roles.instance);
    await audit(roles.instance, surge);
    expect(zombie?.isRunning).toBe(true);
  },
  90_000 + pauseMs,
);

interface Waits {
  /** In partitions that stayed with their worker. */
  readonly othersMs: number;
  readonly allMs: number;
}

/** The longest that an event waited to be applied, while something happened to the workers. */
async function longestWaits(happens: () => Promise<void>): Promise<Waits> {
  const { database } = roles.instance;
  const before = await owners();
  await using freshness = await Freshness.watch(database, "seat-availability");
  await during(surge, roles.instance, async () => {
    await happens();
    await untilAccepted(surge, roles.instance);
  });
  const longest = await freshness.longestMs();
  const after = await owners();
  const stayed = [...longest].filter(([of]) => before.get(of) === after.get(of));
  return {
    othersMs: Math.max(0, ...stayed.map(([, ms]) => ms)),
    allMs: Math.max(...longest.values()),
  };
}

async function owners(): Promise<ReadonlyMap<number, string>> {
  const { rows } = await inDatabase((client) =>
    client.query<{ partition: number; owner: string }>(
      "select partition, owner from refold.leases where consumer = 'seat-availability'",
    ),
  );
  return new Map(rows.map(({ partition, owner }) => [partition, owner]));
}

test("workers that join and leave hold other partitions up for less than 2 s, and killed ones all for less than 10 s", async ({
  annotate,
}) => {
  // The test ends two and brings one: a second try begins with as many as the first.
  workers = workers.filter((worker) => worker.isRunning);
  while (workers.length < 2) workers.push(await roles.worker());
  const joining = await longestWaits(async () => {
    workers.push(await roles.worker());
  });
  const leaving = await longestWaits(async () => {
    const leaver = workers.shift();
    leaver?.child.kill("SIGTERM");
    expect(await leaver?.ended).toMatchObject({ code: 0 });
  });
  const killed = await longestWaits(killOne);
  await audit(roles.instance, surge);
  const waits = JSON.stringify({ joining, leaving, killed });
  // The figures; `--reporter verbose` prints them.
  await annotate(waits);
  expect(Math.max(joining.othersMs, leaving.othersMs), waits).toBeLessThan(2_000);
  expect(Math.max(joining.allMs, leaving.allMs, killed.allMs), waits).toBeLessThan(10_000);
}, 240_000);

test("consumer groups in Kafka show where the consumers are", async () => {
  const admin = await adminOf([roles.servers.broker.address]);
  try {
    await untilShown(admin);
  } finally {
    await admin.disconnect();
  }
});

async function untilShown(admin: Awaited<ReturnType<typeof adminOf>>): Promise<void> {
  const topic = "module-events";
  const { rows } = await inDatabase((client) =>
    client.query<{ partition: number; next: string }>(
      `select partition, next_offset::text as next from refold.positions
       where consumer = 'seat-availability' and topic = $1 order by 1`,
      [topic],
    ),
  );
  await expect
    .poll(
      async () => {
        const groupId = "refold.seat-availability";
        const [shown] = await admin.fetchOffsets({ groupId, topics: [topic] });
        return shown?.partitions
          .map(({ partition, offset }) => ({ partition, next: offset }))
          .toSorted((one, other) => one.partition - other.partition);
      },
      { timeout: 10_000 },
    )
    .toEqual(rows);
}
