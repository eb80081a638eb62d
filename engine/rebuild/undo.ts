import { FatalError, TransientError } from "../errors.ts";
import type { GenerationInfo } from "../ports/generations.ts";
import { type OpenHold, whileHeld } from "./hold.ts";
import type { Journey } from "./journey.ts";

/**
 * Makes the generation serve again that served before. What serves now is held until the kept one
 * has everything that it has, so that no reader goes back.
 */
export async function undo(journey: Journey): Promise<void> {
  const { record } = journey;
  const live = await journey.serving();
  // The pointer has moved back already, and nobody could write it down.
  if (live.generation < (record.shadow ?? 0)) return noteUndone(journey, undefined);
  const kept = await keptOf(journey, live);
  const { isWorkedOn } = journey.environment;
  const isFollowed = await isWorkedOn(kept);
  // Looked at before anybody stands still for nothing, try after try.
  if (!isFollowed && kept.version !== journey.projection.version) throw nobodyWorks(kept);
  const back = { live, kept, isFollowed };
  const heldMs = (await isWorkedOn(live))
    ? await whileHeld(journey, live, (hold) => undoNow(journey, { ...back, hold }))
    : await undoNow(journey, { ...back, hold: undefined });
  if (heldMs !== undefined) await noteUndone(journey, heldMs);
}

interface Back {
  readonly live: GenerationInfo;
  readonly kept: GenerationInfo;
  /** Somebody works on the kept one. */
  readonly isFollowed: boolean;
  readonly hold: OpenHold | undefined;
}

/** @returns How long the hold has lasted; undefined: something else is wished by now. */
async function undoNow(journey: Journey, back: Back): Promise<number | undefined> {
  const { live, kept, hold } = back;
  journey.at("undo-held");
  await reach(journey, back);
  if (journey.signal.aborted) return undefined;
  journey.at("undo-reached");
  const { projection, generation: from } = live;
  const verdict = await journey.environment.generations.swap({
    projection,
    from,
    to: kept.generation,
    condition: "reached",
    keepMs: 0,
  });
  await hold?.release();
  if (verdict.outcome === "swapped") {
    journey.at("undo-made");
    return hold?.heldMs ?? 0;
  }
  throw new TransientError(
    "not-reached",
    verdict.outcome === "apart"
      ? `Generation ${kept.generation} of ${projection} hasn't everything that serves, in ` +
          `${verdict.partitions.join(", ")}: its tasks are behind, or nobody works on it.`
      : `Another generation of ${projection} was swapped in meanwhile.`,
  );
}

/** Whoever works on the kept generation brings it there; where nobody does, this process can. */
async function reach(journey: Journey, { live, kept, isFollowed, hold }: Back): Promise<void> {
  const { environment, limits, signal } = journey;
  if (!isFollowed) {
    const replay = await journey.replay(kept);
    await replay.to(await journey.target(live), { signal });
    return journey.dropReplay();
  }
  const wanted = await journey.target(live);
  let pauseMs = limits.standPollMs;
  while (!signal.aborted && (hold?.heldMs ?? 0) < limits.standMs) {
    const stands = await environment.readModels.positions(kept);
    const isBehind = stands.some(({ topic, partition, position }) => {
      const cut = wanted.get(`${topic}/${partition}`);
      return cut !== undefined && (position?.nextOffset ?? 0n) < cut;
    });
    if (!isBehind) return;
    await journey.pause(pauseMs);
    pauseMs = Math.min(2 * pauseMs, 10 * limits.standPollMs);
  }
}

async function keptOf(journey: Journey, live: GenerationInfo): Promise<GenerationInfo> {
  const { record, environment } = journey;
  const builds = await environment.generations.list(live.projection);
  const kept = builds.filter(
    ({ role, keptUntilMs }) => role === "kept" && keptUntilMs === record.undoUntilMs,
  );
  const found = kept.find(({ generation }) => generation === record.base) ?? kept.at(-1);
  if (found !== undefined && live.generation === record.shadow) return found;
  const why =
    live.generation === record.shadow
      ? "what served before isn't kept any more"
      : `generation ${live.generation} serves by now`;
  throw new FatalError(
    "undo-over",
    `Rebuild ${record.id} of ${live.projection} can't be undone: ${why}.`,
    "Rebuild the projection with the code that should serve.",
  );
}

async function noteUndone(journey: Journey, heldMs: number | undefined): Promise<void> {
  const { environment, record } = journey;
  const { projection } = record.request;
  await journey.note({
    state: "undone",
    undoUntilMs: undefined,
    ...(heldMs === undefined ? {} : { swapHeldMs: heldMs }),
  });
  journey.at("undo-noted");
  if (record.shadow === undefined) return;
  await environment.generations.retire({ projection, generation: record.shadow });
  journey.at("shadow-retired");
}

function nobodyWorks({ projection, generation, version }: GenerationInfo): TransientError {
  return new TransientError(
    "not-worked-on",
    `Nobody works on generation ${generation} of ${projection} (version ${version}), so it can't ` +
      "get everything that serves: start a process with that version's code.",
  );
}
