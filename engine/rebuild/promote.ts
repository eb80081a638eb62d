import type { GenerationInfo, SwapCondition, SwapVerdict } from "../ports/generations.ts";
import { TransientError } from "../errors.ts";
import { whileHeld } from "./hold.ts";
import type { Journey } from "./journey.ts";
import { promotion } from "./policy.ts";

/** Swaps a proved shadow in, or keeps it near what serves until that is accepted. */
export async function promote(journey: Journey): Promise<void> {
  const live = await journey.serving();
  if (live.generation === journey.record.shadow) return noteSwapped(journey, undefined);
  const allowed = promotion(journey.record);
  journey.idle = allowed === "no";
  if (allowed === "no") return follow(journey, live);
  const shadow = await journey.shadow();
  const made = (await journey.environment.isWorkedOn(live))
    ? await swapUnderHold(journey, { live, shadow }, allowed)
    : await swapStanding(journey, { live, shadow }, allowed);
  if (made === undefined) return;
  await settle(journey, live, made);
}

interface Pair {
  readonly live: GenerationInfo;
  readonly shadow: GenerationInfo;
}

interface Made {
  readonly verdict: SwapVerdict;
  readonly heldMs: number;
}

async function swapUnderHold(
  journey: Journey,
  { live, shadow }: Pair,
  condition: SwapCondition,
): Promise<Made | undefined> {
  const { signal } = journey;
  const replay = await journey.replay(shadow);
  await replay.to(await journey.target(live), { signal });
  if (signal.aborted) return undefined;
  return whileHeld(journey, live, async (hold) => {
    await replay.to(await journey.target(live), { signal });
    if (signal.aborted) return undefined;
    const verdict = await swap(journey, { live, shadow }, condition);
    await hold.release();
    return { verdict, heldMs: hold.heldMs };
  });
}

/**
 * Nobody works on what serves: an equal shadow is swapped in where it stands. One of another
 * version goes to the log's end first, so that readers see it current at once.
 */
async function swapStanding(
  journey: Journey,
  { live, shadow }: Pair,
  allowed: "equal" | "level",
): Promise<Made | undefined> {
  const { signal } = journey;
  const replay = await journey.replay(shadow);
  await replay.to(await journey.target(live), { signal });
  const ahead = live.version !== shadow.version;
  if (ahead) await replay.to(await journey.ends(), { signal });
  if (signal.aborted) return undefined;
  const verdict = await swap(journey, { live, shadow }, ahead ? "reached" : allowed);
  return { verdict, heldMs: 0 };
}

async function swap(
  journey: Journey,
  { live, shadow }: Pair,
  condition: SwapCondition,
): Promise<SwapVerdict> {
  journey.at("swap-levelled");
  const verdict = await journey.environment.generations.swap({
    projection: live.projection,
    from: live.generation,
    to: shadow.generation,
    condition,
    keepMs: journey.record.request.keepMs,
  });
  if (verdict.outcome === "swapped") journey.at("swap-made");
  return verdict;
}

async function settle(
  journey: Journey,
  live: GenerationInfo,
  { verdict, heldMs }: Made,
): Promise<void> {
  switch (verdict.outcome) {
    case "swapped":
      return noteSwapped(journey, heldMs);
    case "moved":
      // By whom else: what was proved was proved of another generation.
      if (verdict.serving === journey.record.shadow) return noteSwapped(journey, heldMs);
      return journey.note({ state: "proving" });
    case "differs":
      // Since the proof: it is made again, and shows where.
      return journey.note({ state: "proving" });
    case "apart":
      throw new TransientError(
        "apart",
        `Generation ${live.generation} of ${live.projection} has moved on in ` +
          `${verdict.partitions.join(", ")} before the swap.`,
      );
    default:
      return verdict satisfies never;
  }
}

async function noteSwapped(journey: Journey, heldMs: number | undefined): Promise<void> {
  const { environment, record } = journey;
  const builds = await environment.generations.list(record.request.projection);
  const kept = builds.filter(({ role }) => role === "kept");
  // Another one than at the beginning has served, where an undo came in between.
  const from = kept.find(({ generation }) => generation === record.base) ?? kept.at(-1);
  await journey.dropReplay();
  await journey.note({
    state: "swapped",
    undoUntilMs: from?.keptUntilMs ?? environment.clock.nowMs(),
    ...(heldMs === undefined ? {} : { swapHeldMs: heldMs }),
  });
  journey.at("swap-noted");
}

/** Keeps the shadow near, so that a swap takes no longer when it is accepted. */
async function follow(journey: Journey, live: GenerationInfo): Promise<void> {
  const { signal, limits } = journey;
  const replay = await journey.replay(await journey.shadow());
  await journey.progress.waits("It differs from what serves: it is swapped in when accepted.");
  await replay.to(await journey.target(live), { signal });
  await journey.environment.clock.sleep(limits.followMs, signal);
}
