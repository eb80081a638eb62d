import type { Appended, AppendedEvent } from "../ports/appended.ts";
import type { CommandResult } from "./outcome.ts";
import { factsOf, type DecidedCall, type Group, type PlacedFact } from "./group.ts";
import type { KnownModel } from "./known-model.ts";
import type { ModelCache } from "./model-cache.ts";

type Recorded = ReadonlyMap<PlacedFact, AppendedEvent>;

/** What became of a call, and of those that followed it. */
export interface SettledCall {
  readonly index: number;
  readonly result: CommandResult;
  readonly next: readonly SettledCall[];
}

/**
 * Folds what a group has recorded into the models, now with its true times. Other models of the
 * same tags in the cache may have missed events of other processes in between: they are read anew
 * when they are used.
 */
export function settleAppended(group: Group, verdict: Appended, cache: ModelCache): SettledCall[] {
  const recorded = recordedIn(group, verdict);
  const inOrder = [...recorded].sort(([, a], [, b]) => (a.position < b.position ? -1 : 1));
  for (const [placed, at] of inOrder) {
    const meta = { id: placed.newEvent.id, recordedAtMs: at.recordedAtMs };
    const event = { ...placed, meta, position: at.position };
    for (const model of concerned(placed, cache)) {
      if (group.models.has(model)) model.fold(event);
      else model.stale = true;
    }
  }
  const last = inOrder.at(-1)?.[1].position;
  // A duplicate was recorded some time ago: what came since is not known.
  if (verdict.duplicate) for (const model of group.models) model.stale = true;
  else if (last !== undefined) for (const model of group.models) model.advance(last);
  return group.calls.map((call) => settled(call, verdict, recorded));
}

function* concerned(placed: PlacedFact, cache: ModelCache): Generator<KnownModel> {
  for (const tag of placed.tags) {
    for (const model of cache.ofTag(tag)) if (model.reads(placed)) yield model;
  }
}

const settled = (call: DecidedCall, verdict: Appended, recorded: Recorded): SettledCall => ({
  index: call.index,
  result: resultOf(call, verdict, recorded),
  next: call.next.map((next) => settled(next, verdict, recorded)),
});

/** Facts of a group with what the store gave them. */
function recordedIn(group: Group, verdict: Appended): Recorded {
  return new Map(
    group.facts().flatMap((placed, i) => {
      const at = verdict.events[i];
      return at ? [[placed, at] as const] : [];
    }),
  );
}

function resultOf(call: DecidedCall, verdict: Appended, recorded: Recorded): CommandResult {
  const { decision } = call;
  if (decision.kind === "refused") {
    return {
      outcome: "refused",
      refusal: decision.refusal,
      recordedAtMs: verdict.recordedAtMs,
    };
  }
  const own = factsOf(call).flatMap((placed) => {
    const at = recorded.get(placed);
    return at ? [{ fact: placed.fact, at }] : [];
  });
  const recordedAtMs = own[0]?.at.recordedAtMs ?? verdict.recordedAtMs;
  return { outcome: "accepted", answer: decision.answer, recorded: own, recordedAtMs };
}
