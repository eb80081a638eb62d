import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { Pool } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { makePool } from "../../connectors/postgres/pool.ts";
import { readInstance } from "../../stack/data-folder/instance-file.ts";
import { type Instance, startInstance } from "../e2e/refold-instance.ts";
import { temporaryFolder, until } from "../e2e/refold-process.ts";
import { booksOf, compareEnds, comparePayments, compareWithAnswers } from "./keyed-audit.ts";
import { KeyedClient } from "./keyed-client.ts";
import { Registrars } from "./registrars.ts";

const rounds = Number(process.env["REFOLD_ROUNDS"] ?? 3);
/** Commands that are answered in each life before it is ended. */
const answersPerLife = 60;
const registrars = 12;
const modules = ["FEE-1", "FEE-2", "FEE-3", "FREE-1", "FREE-2"];

function poolOf({ database }: Instance): Pool {
  const pool = makePool({ url: database, name: "books", connectionsMax: 1 });
  onTestFinished(() => (pool.ended ? undefined : pool.end()));
  return pool;
}

/** Few seats, so that some are refused and some enrolments undone. */
async function offer({ http }: Instance, pool: Pool): Promise<void> {
  await pool.query(
    `insert into catalogue.modules (code, title, capacity, fee_cents)
     select code, code, 12 * $2::int, case when code like 'FEE%' then 500 else 0 end
     from unnest($1::text[]) code`,
    [modules, rounds],
  );
  for (const code of modules) {
    await until(
      async () => ((await fetch(`${http}/modules/${code}/availability`)).ok ? true : undefined),
      20_000,
      () => `${code} on offer`,
    );
  }
}

async function kill(folder: string, { process: of }: Instance): Promise<void> {
  process.kill((await readInstance(folder))?.pid ?? 0, "SIGKILL");
  await of.ended;
}

async function untilAnswered({ answered }: KeyedClient, more: number): Promise<void> {
  const enough = answered.size + more;
  await until(
    () => (answered.size >= enough ? true : undefined),
    60_000,
    () => `${enough} answers, not ${answered.size}`,
  );
}

const open = `
  select 'effect ' || e.key as what from refold.open_effects o
    join refold.effects e on e.id = o.effect_id where o.state <> 'failed'
  union all select 'deadline ' || name || '/' || key from refold.deadlines
  union all select 'held in ' || module_code from read."seat-availability" where held > 0
  union all select 'enrolment ' || enrolment_id from read."enrolments"
    where status not in ('completed', 'reversed')`;

/** What was begun comes to its end by itself. */
async function untilSettled(pool: Pool): Promise<void> {
  let left: unknown;
  await until(
    async () => {
      const { rows } = await pool.query<{ what: string }>(open);
      left = rows.map(({ what }) => what);
      return rows.length === 0 ? true : undefined;
    },
    60_000,
    () => `nothing open, not ${JSON.stringify(left)}`,
  );
}

/** Every command again: each gets the answer that it had, in whichever life that was. */
async function sendAllAgain(client: KeyedClient): Promise<void> {
  for (const { command } of client.answered.values()) {
    const again = await client.send(command);
    expect(again.replayed, command.key).toBe(true);
  }
  expect(client.contradictions).toEqual([]);
}

test(
  `${rounds} kills under keyed commands: each is done once and answered the same, all ends well`,
  async () => {
    const folder = join(await temporaryFolder(), "data");
    const client = new KeyedClient();
    const stop = new AbortController();
    let instance = await startInstance(folder);
    await offer(instance, poolOf(instance));
    client.http = instance.http;
    const working = new Registrars(client, modules).run(registrars, stop.signal);
    for (let round = 0; round < rounds; round += 1) {
      await Promise.race([working, untilAnswered(client, answersPerLife)]);
      // Anywhere in the middle of what the server does.
      await delay(Math.random() * 100);
      await kill(folder, instance);
      instance = await startInstance(folder);
      client.http = instance.http;
    }
    stop.abort();
    await working;
    const pool = poolOf(instance);
    await untilSettled(pool);
    await sendAllAgain(client);
    const books = await booksOf(pool);
    compareWithAnswers(books, client);
    compareEnds(books);
    comparePayments(books);
    expect(client.unanswered).toBeGreaterThan(0);
  },
  60_000 + rounds * 20_000,
);
