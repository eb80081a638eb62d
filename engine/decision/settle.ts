import type { Appended, AppendedEvent } from "../ports/appended.ts";
import type { CommandResult } from "./outcome.ts";
import type { DecidedCall, Group, PlacedFact } from "./group.ts";
import type { KnownModel } from "./known-model.ts";
import type { ModelCache } from "./model-cache.ts";

/** A fact with what the store gave it. */
interface Recorded {
  readonly placed: PlacedFact;
  readonly at: AppendedEvent;
}

/** What became of a call, and of those that followed it. */
export interface SettledCall {
  readonly index: number;
  readonly result: CommandResult;
  readonly next: readonly SettledCall[];
}

/**
 * Folds what a group has recorded into the models, now with its true times, and into those of ids
 * that it has made. Other models of the same tags in the cache may have missed events of others in
 * between: they are read anew when they are used.
 */
export function settleAppended(group: Group, verdict: Appended, cache: ModelCache): SettledCall[] {
  const recorded = recordedIn(group, verdict);
  const inOrder = inOrderOfPosition(recorded);
  const known = new Set(group.models.keys());
  // What was recorded some time ago may have gone on since.
  if (!verdict.duplicate) for (const model of begun(group, inOrder, cache)) known.add(model);
  for (const { placed, at } of inOrder) {
    const { name, tags, event } = placed;
    const meta = { id: placed.newEvent.id, recordedAtMs: at.recordedAtMs };
    const positioned = { name, tags, event, meta, position: at.position };
    for (const tag of tags) {
      for (const model of cache.ofTag(tag)) {
        if (!model.reads(placed)) continue;
        if (known.has(model)) model.fold(positioned);
        else model.stale = true;
      }
    }
  }
  const last = inOrder.at(-1)?.at.position;
  // A duplicate was recorded some time ago: what came since is not known.
  if (verdict.duplicate) for (const model of known) model.stale = true;
  else if (last !== undefined) for (const model of known) model.advance(last);
  let first = 0;
  return group.calls.map((call) => {
    const settledCall = settled(call, { verdict, recorded, first });
    first += factCount(call);
    return settledCall;
  });
}

/** Models of the ids that the group has made: what it has recorded is all there is of them. */
function begun(group: Group, recorded: readonly Recorded[], cache: ModelCache): KnownModel[] {
  if (group.fresh.size === 0) return [];
  return recorded.flatMap(({ placed }) =>
    placed.tags.flatMap((tag) => {
      const id = tag.slice(tag.indexOf(":") + 1);
      return group.fresh.has(id) ? cache.begin(tag, id) : [];
    }),
  );
}

/** Facts of a group with what the store gave them, in the order of the calls. */
function recordedIn(group: Group, verdict: Appended): readonly Recorded[] {
  return group.facts().map((placed, i) => ({ placed, at: verdict.events[i] as AppendedEvent }));
}

/** Mostly they are: an event that was recorded before has kept its position. */
function inOrderOfPosition(recorded: readonly Recorded[]): readonly Recorded[] {
  const isInOrder = recorded.every(
    ({ at }, i) => i === 0 || (recorded[i - 1] as Recorded).at.position < at.position,
  );
  if (isInOrder) return recorded;
  return recorded.toSorted((one, other) => (one.at.position < other.at.position ? -1 : 1));
}

const factCount = ({ facts, next }: DecidedCall): number =>
  next.reduce((count, one) => count + factCount(one), facts.length);

interface Place {
  readonly verdict: Appended;
  /** Of the group. */
  readonly recorded: readonly Recorded[];
  /** The number of the call's first fact among them. */
  readonly first: number;
}

function settled(call: DecidedCall, place: Place): SettledCall {
  let first = place.first + call.facts.length;
  const next = call.next.map((one) => {
    const settledNext = settled(one, { ...place, first });
    first += factCount(one);
    return settledNext;
  });
  return { index: call.index, result: resultOf(call, place), next };
}

function resultOf(call: DecidedCall, { verdict, recorded, first }: Place): CommandResult {
  const { decision } = call;
  if (decision.kind === "refused") {
    return {
      outcome: "refused",
      refusal: decision.refusal,
      recordedAtMs: verdict.recordedAtMs,
    };
  }
  const own = recorded
    .slice(first, first + factCount(call))
    .map(({ placed, at }) => ({ fact: placed.fact, at }));
  const recordedAtMs = own[0]?.at.recordedAtMs ?? verdict.recordedAtMs;
  return { outcome: "accepted", answer: decision.answer, recorded: own, recordedAtMs };
}
