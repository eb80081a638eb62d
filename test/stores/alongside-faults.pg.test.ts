import { spawn } from "node:child_process";
import { once as happens } from "node:events";
import { createInterface } from "node:readline";

import { expect, onTestFinished, test } from "vitest";

import { PostgresDeadlines } from "../../connectors/postgres/deadlines/index.ts";
import { PostgresEffectLedger } from "../../connectors/postgres/effect-ledger/index.ts";
import { PostgresEventStore } from "../../connectors/postgres/event-store/index.ts";
import { PostgresIdempotencyKeys } from "../../connectors/postgres/idempotency-keys/index.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { PostgresProcessorStore } from "../../connectors/postgres/processor-store/index.ts";
import type { NewEffect } from "../../engine/ports/effect-ledger.ts";
import { appended, effect, once, requestWith, unique } from "../conformance/alongside-subject.ts";
import { advance, at, laneAt, places } from "../conformance/store-samples.ts";
import { command } from "../event-store/events.ts";
import { cuttingProxy } from "./cutting-proxy.ts";
import { storesDatabase } from "./postgres-stores.ts";

/** A store whose connection can be cut, and what is looked at beside it. */
async function stores() {
  const resources = new AsyncDisposableStack();
  onTestFinished(() => resources.disposeAsync());
  const database = resources.use(await storesDatabase());
  const proxy = resources.use(await cuttingProxy(database.url));
  const cut = makePool({ url: proxy.url, name: "cut", connectionsMax: 2 });
  resources.defer(() => cut.end());
  const { pool } = database;
  return {
    pool,
    cut,
    url: database.url,
    proxy,
    store: new PostgresEventStore({ pool: cut }),
    beside: new PostgresEventStore({ pool }),
    effectLedger: new PostgresEffectLedger({ pool }),
    idempotencyKeys: new PostgresIdempotencyKeys({ pool }),
  };
}

const unavailable = { name: "TransientError", code: "event-store-unavailable" };

test("a key in a transaction that is still open is in progress, and nobody waits for it", async () => {
  const { pool, store } = await stores();
  const key = unique("key");
  const other = await pool.connect();
  await other.query("begin");
  const mark = [["clients"], [key], [false], [1]];
  await other.query("select * from refold.claim_marks($1, $2, $3, $4)", mark);
  const [taken, free] = await Promise.all([
    store.append(requestWith({ once: [once(key)] }), command),
    store.append(requestWith({ once: [once(unique("key"))] }), command),
  ]);
  const kept = [{ state: "in-progress", scope: "clients", key }];
  expect(taken).toEqual({ outcome: "repeated", kept });
  expect(free.outcome).toBe("appended");
  await other.query("rollback");
  other.release();
  appended(await store.append(requestWith({ once: [once(key)] }), command));
});

const sent = ["refold.claim_marks", "refold.append", "refold.request_effects", "commit"];

test.each(sent)(
  "an append of which the server gets what comes before %s leaves nothing",
  async (at) => {
    const { store, beside, effectLedger, idempotencyKeys, proxy } = await stores();
    const [wanted, key] = [effect(), unique("key")];
    const request = requestWith({ once: [once(key)], effects: [wanted] });
    proxy.cutBefore(at);
    await expect(store.append(request, command)).rejects.toMatchObject(unavailable);
    // The server ends the session that was cut when it sees so; until then the key is its own.
    await expect.poll(async () => (await beside.append(request, command)).outcome).toBe("appended");
    expect(await effectLedger.find(wanted.key)).toMatchObject({ state: "requested" });
    const kept = await idempotencyKeys.find({ scope: "clients", key });
    expect(kept).toMatchObject({ state: "answered", answer: { of: key } });
  },
);

test.each(sent)(
  "an append that is done and whose answers from %s on are lost is told again",
  async (at) => {
    const { store, beside, effectLedger, proxy } = await stores();
    const [wanted, key] = [effect(), unique("key")];
    const request = requestWith({ once: [once(key)], effects: [wanted] });
    proxy.loseAnswerTo(at);
    await expect(store.append(request, command)).rejects.toMatchObject(unavailable);
    const asked = () => effectLedger.find(wanted.key);
    await expect.poll(asked).toMatchObject({ state: "requested" });
    const { once: _, ...rest } = request.alongside ?? {};
    const again = await beside.append({ ...request, alongside: rest }, command);
    expect(appended(again).duplicate).toBe(true);
    expect(await store.append(request, command)).toMatchObject({
      outcome: "repeated",
      kept: [{ state: "answered", answer: { of: key }, events: appended(again).events }],
    });
  },
);

async function flushOf(processorStore: PostgresProcessorStore, wanted: NewEffect) {
  const owned = at(await processorStore.claim("p", places(0)), 0);
  return {
    processor: "p",
    advances: [advance(owned, laneAt(Number(owned.position?.nextOffset ?? 0) + 1))],
    states: [],
    appends: [requestWith({ effects: [wanted] })],
    deadLetters: [],
  };
}

async function processorStores() {
  const all = await stores();
  const processorStore = new PostgresProcessorStore({ pool: all.cut });
  const topics = [{ name: "seat-events", partitions: 1 }];
  await processorStore.open({ processor: "p", state: undefined, topics });
  return { ...all, processorStore };
}

const unknown = { code: "outcome-unknown" };

test.each(["refold.append", "refold.request_effects", "commit"])(
  "a flush of which the server gets what comes before %s leaves nothing",
  async (statement) => {
    const { processorStore, effectLedger, proxy } = await processorStores();
    const wanted = effect();
    const flush = await flushOf(processorStore, wanted);
    proxy.cutBefore(statement);
    await expect(processorStore.flush(flush)).rejects.toMatchObject(unknown);
    expect(await effectLedger.find(wanted.key)).toBeUndefined();
    expect(await processorStore.flush(flush)).toMatchObject({ outcome: "committed" });
    expect(await effectLedger.find(wanted.key)).toMatchObject({ state: "requested" });
  },
);

test("a flush whose answer to the commit is lost has moved its position", async () => {
  const { processorStore, effectLedger, proxy } = await processorStores();
  const wanted = effect();
  const flush = await flushOf(processorStore, wanted);
  proxy.loseAnswerTo("commit");
  await expect(processorStore.flush(flush)).rejects.toMatchObject(unknown);
  const asked = () => effectLedger.find(wanted.key);
  await expect.poll(asked).toMatchObject({ state: "requested" });
  // Whoever goes on by what it knew is fenced out.
  await expect(processorStore.flush(flush)).rejects.toMatchObject({ name: "FencedError" });
});

test("an effect that the database can't hold fails its own request alone", async () => {
  const { store, effectLedger } = await stores();
  const [good, bad] = [effect(), effect({ key: "charge/\0" })];
  const [first, second] = await Promise.allSettled(
    [good, bad].map((one) => store.append(requestWith({ effects: [one] }), command)),
  );
  expect(first).toMatchObject({ value: { outcome: "appended" } });
  expect(second).toMatchObject({ reason: { code: "event-store-refused" } });
  expect(await effectLedger.find(good.key)).toMatchObject({ state: "requested" });
});

test("a process that is killed leaves no event without what came with it, nor the other way", async () => {
  const { url, pool } = await stores();
  const program = new URL("alongside-writer.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, url], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const told: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    told.push(line);
    if (told.length === 200) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await happens(child, "exit");
  const sessions = "select from pg_stat_activity where application_name = 'refold writer'";
  await expect.poll(async () => (await pool.query(sessions)).rowCount).toBe(0);
  const { rows } = await pool.query<{ id: string; parts: bigint }>(`
    select id, count(*) as parts from (
      select ce_id as id from refold.events
      union all select key from refold.effects
      union all select effects.key from refold.open_effects join refold.effects on id = effect_id
      union all select key from refold.deadlines
      union all select key from refold.idempotency_keys) p group by id`);
  expect(rows.filter(({ parts }) => parts !== 5n)).toEqual([]);
  const there = new Set(rows.map(({ id }) => id));
  expect(told.filter((id) => !there.has(id))).toEqual([]);
  const waited = await new PostgresDeadlines({ pool }).due({
    names: ["due"],
    nowMs: 1,
    limit: 100_000,
  });
  expect(waited).toHaveLength(rows.length);
});
