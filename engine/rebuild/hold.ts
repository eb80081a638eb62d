import { classify } from "../error-policy.ts";
import { TransientError } from "../errors.ts";
import type { GenerationInfo } from "../ports/generations.ts";
import { placeOf } from "../replay/cuts.ts";
import type { Journey } from "./journey.ts";

/** A hold under which everybody stands still. */
export interface OpenHold {
  /** Ends it, once; the hold's end ends it too. */
  release(): Promise<void>;
  /** Milliseconds since it was asked for; once it is released, how long it has lasted. */
  readonly heldMs: number;
}

/**
 * Does something while all tasks of a generation stand still. Should the hold run out in between,
 * they go on: what is done must look at positions itself.
 *
 * @throws TransientError `hold-not-standing`, naming who doesn't.
 */
export async function whileHeld<Result>(
  journey: Journey,
  generation: GenerationInfo,
  work: (hold: OpenHold) => Promise<Result>,
): Promise<Result> {
  const { generations, clock, readModels } = journey.environment;
  // Asked before anybody stands still.
  const places = (await readModels.positions(generation)).map(placeOf);
  const fromMs = clock.monotonicMs();
  const id = await generations.hold(generation, journey.limits.holdMs);
  let heldMs: number | undefined;
  const hold: OpenHold = {
    release: async () => {
      if (heldMs !== undefined) return;
      await generations.release(id);
      heldMs = clock.monotonicMs() - fromMs;
    },
    get heldMs() {
      return heldMs ?? clock.monotonicMs() - fromMs;
    },
  };
  // One that can't be released runs out, and must not hide why it was ended.
  const released = (): Promise<void> => hold.release().catch(() => undefined);
  try {
    journey.at("hold-asked");
    await allStanding(journey, { generation, places, hold: id });
    journey.at("hold-standing");
    const result = await work(hold);
    await released();
    return result;
  } catch (error) {
    if (classify(error) !== "rethrow") await released();
    throw error;
  }
}

interface Expected {
  readonly generation: GenerationInfo;
  readonly places: readonly string[];
  readonly hold: bigint;
}

async function allStanding(
  journey: Journey,
  { generation, places, hold }: Expected,
): Promise<void> {
  const { environment, limits } = journey;
  const { generations, clock } = environment;
  const untilMs = clock.monotonicMs() + limits.standMs;
  for (
    let pauseMs = limits.standPollMs;
    ;
    pauseMs = Math.min(2 * pauseMs, 10 * limits.standPollMs)
  ) {
    const standing = new Set((await generations.standing(hold)).map(placeOf));
    const missing = places.filter((place) => !standing.has(place));
    if (missing.length === 0) return;
    if (clock.monotonicMs() >= untilMs || journey.over) throw notStanding(generation, missing);
    await journey.pause(pauseMs);
  }
}

function notStanding({ projection, generation }: GenerationInfo, missing: readonly string[]) {
  return new TransientError(
    "hold-not-standing",
    `Nobody has stood still for ${missing.join(", ")} of generation ${generation} of ` +
      `${projection}: it is being given from one process to another, or its process hangs.`,
  );
}
