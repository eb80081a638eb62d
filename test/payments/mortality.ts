import { setImmediate as turn } from "node:timers/promises";

import { until } from "../engine/process.ts";
import type { University } from "../workflow/university.ts";

/** Dies at the nth time that a point is passed once `armed`. */
export function mortal(point: string, visit: number) {
  const state = { armed: false, visits: 0, died: false };
  const diesAt = (here: string): boolean => {
    if (!state.armed || state.died || here !== point) return false;
    state.visits += 1;
    state.died = state.visits === visit;
    return state.died;
  };
  return { state, diesAt };
}

/** Waits for quiet; when the process dies meanwhile, another takes its place. */
export async function quietOverDeath(
  university: University,
  state: { readonly died: boolean },
): Promise<void> {
  const quiet = university.quiet();
  const ended = quiet.then(
    () => true,
    () => true,
  );
  const over = () => Promise.race([ended, turn(false)]);
  await until("it is quiet, or dead", async () => state.died || (await over()), 20_000);
  if (state.died) {
    await university.kill();
    await university.start();
  }
  await university.quiet();
  await quiet;
}
