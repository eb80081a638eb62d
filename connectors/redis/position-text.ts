import { InvariantViolation } from "../../engine/errors.ts";
import {
  lsn,
  offset,
  type Position,
  sequence,
  type SourcePosition,
} from "../../engine/position.ts";

/** A position as text: equal positions have equal texts, so that a fence can compare them. */
export function positionText(position: Position | undefined): string {
  if (position === undefined) return "";
  const { logId, nextOffset, source } = position;
  return JSON.stringify([logId, String(nextOffset), ...sourceParts(source)]);
}

function sourceParts(source: SourcePosition): readonly (string | number)[] {
  if (source.kind === "lane") return ["lane", source.incarnation, String(source.nextSequence)];
  if (source.kind === "change") return ["change", String(source.commitLsn), source.order];
  return [source.kind];
}

export function positionOf(text: string | null | undefined): Position | undefined {
  if (text === null || text === undefined || text === "") return undefined;
  const [logId, next, kind, ...rest] = JSON.parse(text) as (string | number)[];
  const source = sourceOf(String(kind), rest);
  return { logId: String(logId), nextOffset: offset(BigInt(String(next))), source };
}

function sourceOf(kind: string, [first, second]: readonly (string | number)[]): SourcePosition {
  switch (kind) {
    case "lane":
      return {
        kind,
        incarnation: String(first),
        nextSequence: sequence(BigInt(String(second))),
      };
    case "change":
      return { kind, commitLsn: lsn(BigInt(String(first))), order: Number(second) };
    case "offset":
      return { kind };
    default:
      throw new InvariantViolation(`A position in Redis has the source ${kind}.`);
  }
}
