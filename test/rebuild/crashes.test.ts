import { expect, test } from "vitest";

import { type RebuildCrashPoint, rebuildCrashPoints } from "../../engine/rebuild/crash-points.ts";
import { sweep } from "../../engine/rebuild/sweep.ts";
import { foldAll } from "../../engine/testing/given.ts";
import { board, history } from "../engine/seats.ts";
import { type CrashPlan, RebuildStage } from "./stage.ts";

const numbers = Array.from({ length: 90 }, (_, at) => (at * 7919) % 1009);
const { signal } = new AbortController();

/** Each point is crashed at when it is passed for the first time, and for later ones. */
const visits = [1, 2] as const;

const pointsOf = {
  undone: rebuildCrashPoints.filter((point) => point !== "end-noted"),
  abandoned: ["end-noted", "shadow-retired"],
} as const satisfies Record<string, readonly RebuildCrashPoint[]>;

/** Passed by every conductor, or once for each hold; the others once in a journey. */
const passedOften: readonly RebuildCrashPoint[] = ["led", "hold-asked"];

function crashAt(at: RebuildCrashPoint, visit: number): CrashPlan {
  let passed = 0;
  return { crashes: (point) => point === at && (passed += 1) === visit };
}

async function expectOneSoundGeneration(stage: RebuildStage): Promise<void> {
  await stage.caughtUp(board);
  const serving = await stage.serving(board);
  expect(await stage.rowsOf(serving)).toEqual(foldAll(board, stage.events));
  const { stored, counted } = await stage.digests(serving);
  expect(stored).toEqual(counted);
  await stage.clock.sleep(120_000);
  await sweep(stage.environment(), signal);
  expect(await stage.generations.list("board")).toMatchObject([{ role: "serving" }]);
}

for (const visit of visits) {
  test.each(pointsOf.undone.filter((point) => visit === 1 || passedOften.includes(point)))(
    `another conductor goes on after a crash at %s (${visit}), to the swap and back`,
    async (point) => {
      await using stage = await new RebuildStage(visit).open();
      await stage.append(history(numbers));
      await stage.work([board]);
      await stage.caughtUp(board);
      const plan = crashAt(point, visit);
      const id = await stage.start(board);
      expect((await stage.conduct(board, id, plan)).state).toBe("swapped");
      expect((await stage.serving(board)).generation).toBeGreaterThan(1);
      await stage.append(history(numbers.slice(0, 30)));
      await stage.rebuilds.wish(id, "undo");
      expect((await stage.conduct(board, id, plan)).state).toBe("undone");
      expect((await stage.serving(board)).generation).toBe(1);
      expect(stage.crashes).toBe(1);
      await expectOneSoundGeneration(stage);
    },
  );
}

test.each(pointsOf.abandoned)("an abandoned one leaves nothing behind after %s", async (point) => {
  await using stage = await new RebuildStage().open();
  await stage.append(history(numbers));
  await stage.work([board]);
  await stage.caughtUp(board);
  const id = await stage.start(board, { lagBudgetMs: 1 });
  let asked = false;
  const crash = crashAt(point, 1);
  const crashes = (at: RebuildCrashPoint): boolean => {
    if (at === "shadow-noted" && !asked) {
      asked = true;
      void stage.rebuilds.wish(id, "abandon");
    }
    return crash.crashes(at);
  };
  expect((await stage.conduct(board, id, { crashes })).state).toBe("abandoned");
  expect(stage.crashes).toBe(1);
  await expectOneSoundGeneration(stage);
});
