import { crashPointsOf } from "../crash-points.ts";
import { ExpectationError } from "./given.ts";
import type { CrashAt, DriveOptions } from "./task-driver.ts";

/** Each point is crashed at when it is passed for the first time, and for later ones. */
const visits = [1, 2, 3, 4, 5] as const;

/** Small enough that a short history passes every point at least that often. */
const smallSteps = { limits: { batchRecordsMax: 3, chunkRecordsMax: 2 }, fetchBytesMax: 700 };

/**
 * Runs once for every crash point and visit, with borders of its own each time, and demands that
 * the crash came: a point that isn't passed proves nothing.
 *
 * @throws ExpectationError naming the crash that didn't come, or what `run` found wrong after it.
 */
export async function crashEverywhere(
  kind: keyof typeof crashPointsOf,
  seed: number,
  run: (drive: DriveOptions) => Promise<{ readonly crashes: number }>,
): Promise<void> {
  for (const point of crashPointsOf[kind]) {
    for (const visit of visits) {
      const crashAt: CrashAt = { point, visit };
      const { crashes } = await run({ ...smallSteps, seed: seed + visit, crashAt });
      if (crashes === 1) continue;
      const message = `The history passes the crash point ${point} fewer than ${visit} times`;
      throw new ExpectationError(message, { actual: crashes, expected: 1 });
    }
  }
}
