import { randomUUID } from "node:crypto";

import { expect, onTestFinished, test } from "vitest";

import { definitionsOf } from "../../bin/embedded/options.ts";
import { openSystem } from "../../bin/system.ts";
import { systemClock, SystemRandom } from "../../bin/system-clock.ts";
import { openStores, type Stores } from "../../bin/system/stores.ts";
import { Decider } from "../../engine/decision/decider.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import type { RebuildRecord } from "../../engine/ports/rebuilds.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { register } from "../../processors/seats/index.ts";
import { seatAvailability } from "../../projections/seat-availability/index.ts";
import { moduleEvents, registrationUpdates } from "../../schemas/topics.ts";
import { databaseOfTest } from "../support/database.ts";
import { nextVersion } from "./next-version.ts";
import { until } from "./refold-process.ts";
import { RollingWorker } from "./rolling-worker.ts";

const codes = ["CS-101", "CS-102", "CS-103"] as const;

/** A database with the capture beside it, and commands that are decided here. */
async function opened() {
  const url = await databaseOfTest();
  const definitions = definitionsOf({ folder: "", topics: [moduleEvents, registrationUpdates] });
  const report = (message: string): void => void process.stderr.write(`capture: ${message}\n`);
  const common = { url, metrics: noMetrics, report };
  const stores = await openStores({
    ...common,
    migrations: [],
    name: "capture",
    schema: "migrate",
    others: "possible",
  });
  onTestFinished(() => stores[Symbol.asyncDispose]());
  const roles = new Set(["capture"] as const);
  const system = await openSystem({ ...common, definitions, stores, roles });
  onTestFinished(() => system[Symbol.asyncDispose]());
  const ports = { clock: systemClock, random: new SystemRandom(), metrics: noMetrics };
  const decider = new Decider({ ...stores, ...ports });
  const correlationId = randomUUID();
  for (const moduleCode of codes) {
    const offer = {
      title: "Module",
      capacity: 100_000,
      feeCents: 0,
      opensAt: null,
      closesAt: null,
    };
    const made = await decider.execute(offerModule({ moduleCode, ...offer }), { correlationId });
    expect(made.outcome).toBe("accepted");
  }
  return { url, stores, decider };
}

/** Registers students one after the other until it is stopped. */
function registering(decider: Decider) {
  const seats = new Map<string, number>();
  const ending = new AbortController();
  const working = (async () => {
    for (let n = 0; !ending.signal.aborted; n += 1) {
      const moduleCode = codes[n % codes.length] ?? codes[0];
      const call = register({ moduleCode, studentId: `s-${n}` });
      const { outcome } = await decider.execute(call, { correlationId: randomUUID() });
      expect(outcome).toBe("accepted");
      seats.set(moduleCode, (seats.get(moduleCode) ?? 0) + 1);
      await systemClock.sleep(10);
    }
  })();
  const stop = async () => {
    ending.abort();
    await working;
    return seats;
  };
  onTestFinished(async () => void (await stop()));
  return { seats, stop };
}

/** Asks all processes in turn until it is stopped: each answer is of one generation, none goes back. */
function querying(processes: readonly RollingWorker[]) {
  const seen = { answers: 0, faults: [] as unknown[], generations: new Set<number>() };
  const last = new Map<unknown, number>();
  const ending = new AbortController();
  const look = (told: Awaited<ReturnType<RollingWorker["ask"]>>): void => {
    seen.answers += 1;
    seen.generations.add(told.generation);
    if (told.failure !== undefined) seen.faults.push(told.failure);
    for (const { moduleCode, capacity, held, confirmed, left = null } of told.rows) {
      const free = Number(capacity) - Number(held) - Number(confirmed);
      const expected = told.generation === 1 ? null : free;
      if (left !== expected) seen.faults.push({ generation: told.generation, left, free });
      if (Number(confirmed) < (last.get(moduleCode) ?? 0))
        seen.faults.push(`${String(moduleCode)} back`);
      last.set(moduleCode, Number(confirmed));
    }
  };
  const working = (async () => {
    for (let n = 0; !ending.signal.aborted; n += 1) {
      for (const process of processes) look(await process.ask(codes[n % (codes.length + 1)]));
    }
  })();
  const stop = async () => {
    ending.abort();
    await working;
    return seen;
  };
  onTestFinished(async () => void (await stop().catch(() => undefined)));
  return { stop };
}

const lastRebuild = async ({ rebuilds }: Stores): Promise<RebuildRecord | undefined> =>
  (await rebuilds.list({ limit: 1 }))[0];

const untilRebuild = (
  stores: Stores,
  what: string,
  holds: (record: RebuildRecord) => boolean,
): Promise<RebuildRecord> => {
  let last: RebuildRecord | undefined;
  return until(
    async () => {
      last = await lastRebuild(stores);
      return last !== undefined && holds(last) ? last : undefined;
    },
    60_000,
    () => `${what}: ${last?.id} ${last?.state} ${last?.progress?.waiting ?? ""}`,
  );
};

/** What processes answer, once it is as the commands have left it. */
async function expectSeats(
  processes: readonly RollingWorker[],
  generation: number,
  seats: ReadonlyMap<string, number>,
): Promise<void> {
  for (const process of processes) {
    for (const code of codes) {
      await until(
        async () => {
          const told = await process.ask(code);
          const isAll = told.rows[0]?.["confirmed"] === seats.get(code);
          return (told.generation === generation && isAll) || undefined;
        },
        30_000,
        () => `${code} with ${seats.get(code)} seats in generation ${generation}`,
      );
    }
  }
}

async function untilKept({ generations, shadowStore: store, log }: Stores, generation: number) {
  const [kept] = (await generations.list(seatAvailability.name)).filter(
    (one) => one.generation === generation,
  );
  expect(kept?.role).toBe("kept");
  const ends = await log.bounds(moduleEvents.name);
  await until(
    async () => {
      const stands = kept === undefined ? [] : await store.positions(kept);
      const isThere = stands.every(
        ({ partition, position }) => (position?.nextOffset ?? 0n) >= (ends[partition]?.end ?? 0n),
      );
      return isThere || undefined;
    },
    30_000,
    () => `generation ${generation} kept current`,
  );
}

const isSwapped = ({ state }: RebuildRecord): boolean => state === "swapped";
const isUndone = ({ state }: RebuildRecord): boolean => state === "undone";

test("old and new workers side by side: the new version is swapped in by itself and undone, and no query fails or sees a mix", async () => {
  const { url, stores, decider } = await opened();
  const old = await Promise.all([1, 2].map(() => RollingWorker.start(url, "old")));
  const load = registering(decider);
  const fromTheStart = querying(old);
  const fresh = await Promise.all([1, 2].map(() => RollingWorker.start(url, "new")));
  const queries = querying([...old, ...fresh]);
  const first = await untilRebuild(stores, "swapped by policy", isSwapped);
  expect(first.request).toMatchObject({
    by: "new-version",
    version: nextVersion.version,
    accept: true,
  });
  expect(first.proof).toMatchObject({
    liveVersion: seatAvailability.version,
    added: 0,
    removed: 0,
    changed: 0,
  });
  // Old code goes on with what has served.
  await untilKept(stores, 1);
  expect(await stores.rebuilds.wish(first.id, "undo", { by: "an operator" })).toBe(true);
  await untilRebuild(stores, "undone", isUndone);
  await expectSeats([...old, ...fresh], 1, await load.stop());
  const throughout = await fromTheStart.stop();
  expect(throughout).toMatchObject({ faults: [], generations: new Set([1, 2]) });
  expect(throughout.answers).toBeGreaterThan(100);
  expect(await queries.stop()).toMatchObject({ faults: [], generations: new Set([1, 2]) });
  // Who has undone it decides when it is tried again.
  expect((await lastRebuild(stores))?.id).toBe(first.id);
});

test("an undo without the old code says what it waits for, while the new version serves, and is done when the old code is back", async () => {
  const { url, stores, decider } = await opened();
  const old = await RollingWorker.start(url, "old");
  const load = registering(decider);
  const fresh = await RollingWorker.start(url, "new");
  const { id } = await untilRebuild(stores, "swapped by policy", isSwapped);
  expect(await old.stop()).toBe(0);
  const queries = querying([fresh]);
  expect(await stores.rebuilds.wish(id, "undo", { by: "an operator" })).toBe(true);
  const waiting = await untilRebuild(
    stores,
    "told what it waits for",
    ({ progress }) => progress?.waiting?.includes(`version ${seatAvailability.version}`) === true,
  );
  expect(waiting).toMatchObject({ state: "swapped", wish: "undo", failure: undefined });
  expect(waiting.progress?.waiting).toMatch(
    /Nobody works on generation 1 of seat-availability .* start a process with that version's code/,
  );
  const before = new Map(load.seats);
  await until(
    () => codes.every((code) => (load.seats.get(code) ?? 0) > (before.get(code) ?? 0)) || undefined,
    10_000,
    () => "more registrations",
  );
  const back = await RollingWorker.start(url, "old");
  await untilRebuild(stores, "undone", isUndone);
  await expectSeats([back, fresh], 1, await load.stop());
  const { faults, generations } = await queries.stop();
  expect(faults).toEqual([]);
  expect(generations).toEqual(new Set([1, 2]));
});

test("a deployment that is rolled back is undone by the old code alone", async () => {
  const { url, stores, decider } = await opened();
  const old = await RollingWorker.start(url, "old");
  const load = registering(decider);
  const fresh = await RollingWorker.start(url, "new");
  const { id } = await untilRebuild(stores, "swapped by policy", isSwapped);
  const queries = querying([old]);
  expect(await fresh.stop()).toBe(0);
  expect(await stores.rebuilds.wish(id, "undo", { by: "an operator" })).toBe(true);
  await untilRebuild(stores, "undone", isUndone);
  await expectSeats([old], 1, await load.stop());
  expect(await queries.stop()).toMatchObject({ faults: [] });
});
