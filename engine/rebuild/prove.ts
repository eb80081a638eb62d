import { TransientError } from "../errors.ts";
import type { ViewedGeneration } from "../ports/comparisons.ts";
import type { GenerationInfo } from "../ports/generations.ts";
import type { ReadPosition } from "../ports/read-model-reader.ts";
import type { RebuildProof } from "../ports/rebuilds.ts";
import { swapRefusal } from "../swap-check.ts";
import { compare } from "./comparison.ts";
import { DifferenceSummary } from "./difference-summary.ts";
import { type OpenHold, whileHeld } from "./hold.ts";
import type { Journey } from "./journey.ts";
import { secondStoreHas, secondStoreRecount, together } from "./second-store.ts";

interface Pair {
  readonly live: GenerationInfo;
  readonly shadow: GenerationInfo;
}

/**
 * Compares the shadow with what serves, at exactly the same place: under a hold, or, where nobody
 * works on what serves, wherever it stands. What is proved is written down.
 */
export async function prove(journey: Journey): Promise<void> {
  const { signal } = journey;
  const pair = { live: await journey.serving(), shadow: await journey.shadow() };
  // The hold should last no longer than for the few records that come meanwhile.
  const replay = await journey.replay(pair.shadow);
  await replay.to(await journey.target(pair.live), { signal });
  if (signal.aborted) return;
  const proof = (await journey.environment.isWorkedOn(pair.live))
    ? await provedUnderHold(journey, pair)
    : await compared(journey, pair, undefined);
  journey.at("compared");
  await journey.progress.waits(undefined);
  await journey.note({ state: "proved", proof });
  journey.at("proof-noted");
}

function provedUnderHold(journey: Journey, pair: Pair): Promise<RebuildProof> {
  const { live, shadow } = pair;
  return whileHeld(journey, live, async (hold) => {
    const replay = await journey.replay(shadow);
    await replay.to(await journey.target(live), { signal: journey.signal });
    journey.at("levelled");
    return compared(journey, pair, hold);
  });
}

async function compared(
  journey: Journey,
  { live, shadow }: Pair,
  hold: OpenHold | undefined,
): Promise<RebuildProof> {
  const { comparisons, clock, codeVersion, openDifferences } = journey.environment;
  const { samplesMax, sampleTextMax, secondStoreHeldMs, secondStoreMs } = journey.limits;
  return comparisons.within([live, shadow], async (views) => {
    const [one, other] = views as readonly [ViewedGeneration, ViewedGeneration];
    journey.at("viewed");
    assertLevel(one, other, live);
    const liveThere = await secondStoreHas(journey, {
      generation: live,
      digests: one.digests,
      positions: positionsOf(one),
      waitMs: secondStoreHeldMs,
    });
    await hold?.release();
    journey.at("hold-released");
    const provedAtMs = clock.nowMs();
    const shadowThere = await secondStoreHas(journey, {
      generation: shadow,
      digests: other.digests,
      positions: positionsOf(other),
      waitMs: secondStoreMs,
    });
    const recounted = await secondStoreRecount(journey, [live, shadow]);
    const sink = await openDifferences?.(journey.record.id);
    const summary = new DifferenceSummary({ sink, samplesMax, sampleTextMax });
    const sides = [sideOf(one, live), sideOf(other, shadow)] as const;
    try {
      return {
        ...(await compare(...sides, summary)),
        positions: positionsOf(other),
        provedAtMs,
        heldMs: hold?.heldMs ?? 0,
        liveVersion: live.version,
        shadowVersion: shadow.version,
        codeVersion,
        redis: together([liveThere, shadowThere, recounted]),
        snapshot: snapshotOf(journey),
      };
    } catch (error) {
      await sink?.discard();
      throw error;
    }
  });
}

const sideOf = (view: ViewedGeneration, { columns }: GenerationInfo) => ({ view, columns });

/** @throws TransientError `apart`: the hold ran out, or somebody works on it after all. */
function assertLevel(one: ViewedGeneration, other: ViewedGeneration, live: GenerationInfo): void {
  const refusal = swapRefusal("level", one, other);
  if (refusal?.outcome !== "apart") return;
  throw new TransientError(
    "apart",
    `Generation ${live.generation} of ${live.projection} has moved on in ` +
      `${refusal.partitions.join(", ")} before it was compared.`,
  );
}

const positionsOf = ({ standing }: ViewedGeneration): ReadPosition[] =>
  standing.flatMap(({ topic, partition, position, lastRecordedAtMs }) =>
    position ? [{ topic, partition, position, lastRecordedAtMs }] : [],
  );

function snapshotOf({ record }: Journey): bigint | undefined {
  const start = record.plan?.start;
  return start?.kind === "snapshot" ? start.snapshot : undefined;
}
