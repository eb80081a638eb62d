import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { type RebuildCrashPoint, rebuildCrashPoints } from "../../engine/rebuild/crash-points.ts";
import { sweep } from "../../engine/rebuild/sweep.ts";
import { foldAll } from "../../engine/testing/given.ts";
import { realClock } from "../engine/process.ts";
import { board } from "../engine/seats.ts";
import { type Opened, opened, rowsWhenCaughtUp, start, traffic } from "./postgres-stage.ts";

const program = fileURLToPath(new URL("conducting-process.ts", import.meta.url));

/** Passed only where a rebuild ends without a swap. */
const atTheEnd: readonly RebuildCrashPoint[] = ["end-noted", "shadow-retired"];

/** Where something is stored that nobody has written down, or tasks stand still. */
const worst: readonly RebuildCrashPoint[] = [
  "shadow-created",
  "hold-standing",
  "viewed",
  "compared",
  "swap-made",
  "undo-held",
  "undo-made",
];

/** A rebuild in which every point kills somebody takes as long as some twenty kills elsewhere. */
const killsPerRound = 20;

/** Rebuilds in which every point of the way kills somebody; left out, the worst ones do, once. */
const rounds = Math.ceil(Number(process.env["REFOLD_ROUNDS"] ?? 0) / killsPerRound);

/** The journey to a swap and back, in its order. */
const onTheWay = rebuildCrashPoints.filter((point) =>
  rounds === 0 ? worst.includes(point) : !atTheEnd.includes(point),
);

type End = { readonly killed: true } | { readonly killed: false; readonly state: string };

/** A process that conducts, until it is over or the point is passed. */
async function conducting(url: string, id: bigint, point?: RebuildCrashPoint): Promise<End> {
  const args = ["--disable-warning=ExperimentalWarning", program, url, String(id)];
  const child = spawn(process.execPath, point === undefined ? args : [...args, point], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [state, [, signal]] = await Promise.all([
    text(child.stdout),
    once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  return signal === "SIGKILL" ? { killed: true } : { killed: false, state };
}

/** Another process as soon as the lease of who died has run out. */
async function conducted({ url }: Opened, id: bigint, point?: RebuildCrashPoint): Promise<End> {
  for (;;) {
    const end = await conducting(url, id, point);
    if (end.killed || end.state !== "") return end;
    await realClock.sleep(50);
  }
}

async function askUndo(system: Opened, id: bigint): Promise<void> {
  // The pointer had moved when the last one was killed.
  await conducted(system, id);
  expect(await system.environment.rebuilds.wish(id, "undo")).toBe(true);
}

/** To the swap and back: each conductor is killed at a later point than the one before. */
async function killedAllTheWay(system: Opened, id: bigint): Promise<void> {
  for (const point of onTheWay) {
    if (point === "undo-held") await askUndo(system, id);
    expect(await conducted(system, id, point), point).toEqual({ killed: true });
  }
}

async function expectNothingLeft({ environment, pool }: Opened): Promise<void> {
  await sweep(environment, new AbortController().signal);
  expect(await environment.generations.list("board")).toMatchObject([
    { generation: 1, role: "serving" },
  ]);
  const { rows } = await pool.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'read'`,
  );
  expect(rows).toEqual([{ name: "board__g1" }]);
  const orphaned = await pool.query(
    `select consumer, generation from refold.positions where generation > 1
     union all select projection, generation from refold.digests where generation > 1`,
  );
  expect(orphaned.rows).toEqual([]);
}

test(
  "conductors that are killed one after the other, between any two steps, bring a rebuild to the swap and back",
  async () => {
    const system = await opened();
    const { rebuilds } = system.environment;
    for (let round = 0; round < Math.max(1, rounds); round += 1) {
      const endTraffic = traffic(system, 100);
      const id = await start(system, false);
      await killedAllTheWay(system, id);
      await conducted(system, id);
      await endTraffic();
      expect(await rebuilds.find(id)).toMatchObject({ state: "undone", failure: undefined });
      expect(await rowsWhenCaughtUp(system, 1)).toEqual(foldAll(board, system.events));
      await expectNothingLeft(system);
    }
  },
  90_000 + 180_000 * rounds,
);

test("a rebuild that is given up leaves nothing behind when its conductors are killed", async () => {
  const system = await opened();
  for (const point of atTheEnd) {
    const id = await start(system, false);
    expect(await conducted(system, id, "shadow-noted")).toEqual({ killed: true });
    expect(await system.environment.rebuilds.wish(id, "abandon")).toBe(true);
    expect(await conducted(system, id, point), point).toEqual({ killed: true });
    expect(await system.environment.rebuilds.find(id)).toMatchObject({ state: "abandoned" });
  }
  expect(await rowsWhenCaughtUp(system, 1)).toEqual(foldAll(board, system.events));
  await expectNothingLeft(system);
});
