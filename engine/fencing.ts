import { FatalError, FencedError } from "./errors.ts";
import type { Position, SourcePosition } from "./position.ts";

export interface Place {
  readonly topic: string;
  readonly partition: number;
}

/** The order in which places are locked, everywhere. */
export const byPlace = (a: Place, b: Place): number => {
  if (a.topic === b.topic) return a.partition - b.partition;
  return a.topic < b.topic ? -1 : 1;
};

export function samePosition(a: Position | undefined, b: Position | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.logId !== b.logId || a.nextOffset !== b.nextOffset) return false;
  return sameSource(a.source, b.source);
}

function sameSource(a: SourcePosition, b: SourcePosition): boolean {
  if (a.kind === "lane" && b.kind === "lane") {
    return a.incarnation === b.incarnation && a.nextSequence === b.nextSequence;
  }
  if (a.kind === "change" && b.kind === "change") {
    return a.commitLsn === b.commitLsn && a.order === b.order;
  }
  return a.kind === b.kind;
}

export function fencedOut(owner: string, lost: readonly Place[]): FencedError {
  const names = [...lost].sort(byPlace).map(({ topic, partition }) => `${topic}/${partition}`);
  return new FencedError(
    [...new Set(lost.map(({ partition }) => partition))].sort((a, b) => a - b),
    `${owner} no longer owns ${names.join(", ")}, or they stand elsewhere than this flush begins: ` +
      `nothing of it was written. Claim them again and fold from where they stand.`,
  );
}

export function partitionsUnknown(owner: string, places: readonly Place[]): FatalError {
  const names = places.map(({ topic, partition }) => `${topic}/${partition}`).join(", ");
  return new FatalError(
    "partition-unknown",
    `${owner} doesn't read ${names}, or was never opened.`,
    "Open it with all its topics first.",
  );
}
