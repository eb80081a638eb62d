import type { GenerationInfo } from "../ports/generations.ts";
import { offset } from "../position.ts";
import { type Cuts, placeOf } from "../replay/cuts.ts";
import type { Replay } from "../replay/replay.ts";
import { Governor } from "./governor.ts";
import { distance, type Journey } from "./journey.ts";
import { LiveLag } from "./live-lag.ts";

/** Brings the shadow near to what serves, at the pace that live traffic leaves it. */
export async function fill(journey: Journey): Promise<void> {
  const { signal, limits } = journey;
  const shadow = await journey.shadow();
  const replay = await journey.replay(shadow);
  const live = await journey.serving();
  const governor = (await journey.environment.isWorkedOn(live))
    ? governorOf(journey, live)
    : undefined;
  for (;;) {
    const cuts = await journey.target(live);
    if (distance(replay.positions(), cuts) <= limits.closeRecordsMax) break;
    await replay.to(cuts, { signal, pace: pace(journey, { replay, cuts, governor }) });
    if (signal.aborted) return;
    journey.at("round-filled");
  }
  const last = { replay, cuts: await journey.target(live), governor };
  await journey.progress.tellNow(...progressOf(journey, last));
  await journey.note({ state: "proving" });
  journey.at("close-noted");
}

interface Round {
  readonly replay: Replay;
  readonly cuts: Cuts;
  readonly governor: Governor | undefined;
}

function pace(journey: Journey, round: Round): () => Promise<void> {
  const telling = (): Promise<void> => tell(journey, round);
  return async () => {
    await telling();
    await round.governor?.pace(journey.signal, telling);
  };
}

async function tell(journey: Journey, round: Round): Promise<void> {
  await journey.progress.tell(...progressOf(journey, round));
}

/** Records done, records in all, and who keeps the pace. */
function progressOf(
  journey: Journey,
  { replay, cuts, governor }: Round,
): [done: number, total: number, governor: Governor | undefined] {
  const partitions = journey.record.plan?.partitions ?? [];
  const from: Cuts = new Map(partitions.map((one) => [placeOf(one), offset(one.from)]));
  return [distance(from, replay.positions()), distance(from, cuts), governor];
}

function governorOf(journey: Journey, live: GenerationInfo): Governor {
  const { readModels, log, clock } = journey.environment;
  const { lagPollMs, patienceMs } = journey.limits;
  return new Governor({
    lag: new LiveLag({ generation: live, readModels, log, clock }),
    clock,
    budgetMs: journey.record.request.lagBudgetMs,
    pollMs: lagPollMs,
    patienceMs,
  });
}
