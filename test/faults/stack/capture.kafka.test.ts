import { afterAll, beforeAll, expect, test } from "vitest";

import { moduleEvents } from "../../../schemas/topics.ts";
import type { Instance } from "../../e2e/refold-instance.ts";
import { type RefoldProcess, until } from "../../e2e/refold-process.ts";
import { audit } from "../audit.ts";
import { during, untilAccepted, untilReady } from "../surge-on-instance.ts";
import { Surge } from "../surge.ts";
import { WholeStack } from "./whole-stack.ts";

const rounds = Number(process.env["REFOLD_ROUNDS"] ?? 1);

let stack: WholeStack;
let instance: Instance & { readonly settings: Readonly<Record<string, string>> };
const surge = new Surge({ modules: 12, capacity: 40, clients: 8, restMs: 20 });

beforeAll(async () => {
  stack = await WholeStack.start();
  instance = await stack.instance();
  await surge.offer(instance);
}, 240_000);

afterAll(() => stack?.[Symbol.asyncDispose](), 60_000);

/** Lanes that wait before a hole, each with the first sequence that is missing. */
async function holes(): Promise<ReadonlyMap<string, number>> {
  const rows = await stack.sql<{ topic: string; partition: number; reason: string }>(
    `select topic, partition, reason from refold.task_status
     where state = 'halted' and reason is not null and reported_at > now() - interval '3 s'`,
  );
  const found = rows.flatMap(({ topic, partition, reason }) => {
    const [, from] = /(\d+)(?: to \d+)? (?:are|is) missing/.exec(reason) ?? [];
    return from === undefined ? [] : [[`${topic}/${partition}`, Number(from)] as const];
  });
  return new Map(found);
}

/** What a hand does that knows Debezium, and not what its slot is for. */
async function replaceSlotAndForget(): Promise<void> {
  await stack.connect("PUT", "refold-events/stop");
  await stack.dropSlot("refold_events");
  await untilAccepted(surge, instance, 30);
  await stack.sql("select pg_create_logical_replication_slot('refold_events', 'pgoutput')");
  await stack.connect("DELETE", "refold-events/offsets");
  await stack.connect("PUT", "refold-events/resume");
}

async function untilMended(): Promise<number> {
  let mended = 0;
  for (let left = await holes(); left.size > 0; left = await holes()) {
    for (const [lane, from] of left) {
      const out = await stack.done(["republish", lane, "--from", String(from)]);
      expect(out).toContain(`records of ${lane}`);
      mended += 1;
    }
    await until(
      async () => {
        const now = await holes();
        return [...left.keys()].every((lane) => !now.has(lane)) ? true : undefined;
      },
      30_000,
      () => `the mended lanes go on: ${JSON.stringify([...left])}`,
    );
  }
  return mended;
}

test("the event store's slot is dropped and made anew under load: readers halt before the hole, and republish mends it", async () => {
  await during(surge, instance, async () => {
    await replaceSlotAndForget();
    await until(
      async () => ((await holes()).size > 0 ? true : undefined),
      60_000,
      () => "a partition that halts before the hole",
    );
    expect(await untilMended()).toBeGreaterThan(0);
    await untilAccepted(surge, instance, 20);
  });
  // Lanes that nothing came to since then have shown no hole yet.
  await untilAllLanesMove();
  await untilMended();
  await untilReady(instance);
  await audit(instance, surge);
  expect(await stack.done(["connectors", "status"])).toMatch(/refold-events +RUNNING/);
}, 280_000);

/**
 * Events of each partition of modules, so that a hole before them shows: each lane is applied to its
 * end then, or has halted.
 */
async function untilAllLanesMove(): Promise<void> {
  // By chance a partition would get none of so many once in a hundred million runs.
  await stack.sql(
    `insert into catalogue.modules (code, title, capacity, fee_cents)
     select 'mover-' || n, 'Mover', 0, 0 from generate_series(1, 200) n`,
  );
  let open: readonly object[] = [];
  await until(
    async () => {
      const behind = await stack.sql<{ partition: number; last: number; next: number }>(
        `select partition, l.last_sequence::int as last, p.next_sequence::int as next
         from refold.lanes l join refold.positions p using (topic, partition)
         where l.topic = $1 and p.consumer = 'seat-availability'
           and coalesce(p.next_sequence, 1) <= l.last_sequence`,
        [moduleEvents.name],
      );
      const [{ offered } = { offered: 0 }] = await stack.sql<{ offered: number }>(
        `select count(*)::int as offered from refold.events
         where ce_type like '%ModuleOffered' and key like 'mover-%'`,
      );
      const halted = await holes();
      open = behind.filter(({ partition }) => !halted.has(`${moduleEvents.name}/${partition}`));
      return offered === 200 && open.length === 0 ? true : undefined;
    },
    60_000,
    () => `every lane applied or halted: ${JSON.stringify(open)}`,
  );
}

test("the catalogue's slot is lost under load, and one command reads the tables anew, removals too", async () => {
  await during(surge, instance, async () => {
    await stack.connect("PUT", "refold-catalogue/stop");
    await stack.dropSlot("refold_catalogue");
    await stack.sql(
      "delete from catalogue.modules where code like 'extra-%' or code like 'mover-%'",
    );
    await untilAccepted(surge, instance, 30);
    const status = await stack.ended(["connectors", "status"]);
    expect(status.code).toBe(1);
    expect(status.out).toContain("Its slot isn't there: run refold connectors apply");
    const applied = await stack.done(["connectors", "apply"]);
    expect(applied).toMatch(/refold-catalogue.*slot was gone and is made anew.* [1-9]\d* removals/);
    await untilAccepted(surge, instance, 30);
  });
  await untilReady(instance);
  await audit(instance, surge);
}, 180_000);

async function takeOverByEmbedded(): Promise<RefoldProcess> {
  const embedded = { CAPTURE: "embedded" };
  const refused = await stack.ended(["capture"], embedded);
  expect(refused.err).toContain("refold capture take-over");
  expect(await stack.done(["capture", "take-over"], embedded)).toContain("goes on from");
  // Commands that are taken meanwhile are published by the one that comes.
  await untilAccepted(surge, instance, 30);
  const capture = stack.begin(["capture"], embedded);
  await capture.printed(/The capture runs/, 60_000);
  return capture;
}

/** The one that works is ended by it. */
async function takeOverByDebezium(capture: RefoldProcess): Promise<void> {
  const refused = await stack.ended(["connectors", "apply"]);
  expect(refused.err).toContain("refold capture take-over");
  expect(await stack.done(["capture", "take-over"])).toContain("goes on from");
  await until(
    () => (capture.err.includes("The capture halted") ? true : undefined),
    10_000,
    () => `the capture says that it was replaced: ${capture.err}`,
  );
  capture.child.kill("SIGTERM");
  await capture.ended;
}

test(
  "the capture changes from Debezium to the embedded one and back under load, and nothing is lost or doubled",
  async () => {
    for (let round = 0; round < rounds; round += 1) {
      await during(surge, instance, async () => {
        const capture = await takeOverByEmbedded();
        await untilAccepted(surge, instance);
        await takeOverByDebezium(capture);
        await untilAccepted(surge, instance);
      });
      await untilReady(instance);
      await audit(instance, surge);
    }
  },
  100_000 + rounds * 120_000,
);
