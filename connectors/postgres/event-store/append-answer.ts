import { FatalError, InvariantViolation, type RefoldError } from "../../../engine/errors.ts";
import type { AppendVerdict, AppendedEvent } from "../../../engine/ports/event-store.ts";
import { globalPosition, sequence } from "../../../engine/position.ts";
import type { AppendCall } from "./append-call.ts";
import type { PlannedRequest } from "./call-plan.ts";
import { toStoredEvent, type EventRow } from "./stored-event.ts";

/** A row of the answer: the first has the verdicts, the others an event of one request each. */
export interface AnswerRow extends EventRow {
  readonly verdicts: string | null;
  readonly positions: string | null;
  readonly sequences: string | null;
  readonly times: string | null;
  readonly clock_ms: bigint | null;
  readonly held_by: string | null;
  readonly request: number | null;
}

/** Of one request: its verdict, or why it can't have one. */
export type CallResult = AppendVerdict | RefoldError;

interface Answer {
  readonly positions: readonly string[];
  readonly sequences: readonly string[];
  /** Of the events that were appended, where any of the call has a time of its own. */
  readonly times: readonly string[] | undefined;
  readonly clockMs: number;
  readonly heldBy: string;
  readonly events: ReadonlyMap<number, EventRow[]>;
  readonly newerMax: number;
}

/** The results of a call, in the order of its requests. */
export function readAnswer(call: AppendCall, rows: readonly AnswerRow[]): CallResult[] {
  const [head, ...others] = rows;
  if (!head) throw new InvariantViolation("refold.append gave no row.");
  const codes = (head.verdicts ?? "").split(",");
  if (codes.length !== call.requests.length) {
    throw new InvariantViolation(
      `refold.append gave ${codes.length} verdicts for ${call.requests.length} requests.`,
    );
  }
  const answer: Answer = {
    positions: (head.positions ?? "").split(","),
    sequences: (head.sequences ?? "").split(","),
    times: head.times?.split(","),
    clockMs: Number(head.clock_ms),
    heldBy: head.held_by ?? "",
    events: Map.groupBy(others, (row) => (row.request ?? 0) - 1),
    newerMax: call.newerMax,
  };
  let firstEvent = 0;
  let firstAppended = 0;
  return call.requests.map((planned, index) => {
    const code = Number(codes[index]);
    const result = resultOf(code, { planned, index, firstEvent, firstAppended, answer });
    firstEvent += planned.request.events.length;
    // What was recorded already came back as rows of its own.
    const known = answer.events.get(index)?.length ?? 0;
    if (code === 0) firstAppended += planned.request.events.length - known;
    return result;
  });
}

interface Place {
  readonly planned: PlannedRequest;
  readonly index: number;
  /** Number of the request's first event in the call. */
  readonly firstEvent: number;
  /** The number of its first event among those that were appended. */
  readonly firstAppended: number;
  readonly answer: Answer;
}

function resultOf(code: number, place: Place): CallResult {
  const { answer } = place;
  switch (code) {
    case 0:
      return appended(place);
    case 1:
      return duplicate(place);
    case 2:
      return conflict(place);
    case 3:
      return { outcome: "out-of-time", recordedAtMs: answer.clockMs };
    case 4:
      return { outcome: "held", by: answer.heldBy };
    case 5:
      return holdGone();
    case 6:
      // What its keys stand for was told before.
      return { outcome: "repeated", kept: [] };
    default:
      return new InvariantViolation(`refold.append gave the unknown verdict ${code}.`);
  }
}

function appended({ planned, index, firstEvent, firstAppended, answer }: Place): AppendVerdict {
  const { positions, sequences, times, clockMs } = answer;
  const known = knownEvents(answer, index);
  let at = firstAppended;
  const events = planned.request.events.map(({ id }, i): AppendedEvent => {
    const there = known?.get(id);
    if (there) return there;
    const event = {
      position: globalPosition(BigInt(positions[firstEvent + i] ?? "")),
      sequence: sequence(BigInt(sequences[at] ?? "")),
      recordedAtMs: times ? Number(times[at]) : clockMs,
    };
    at += 1;
    return event;
  });
  const recordedAtMs = events.at(-1)?.recordedAtMs ?? clockMs;
  return { outcome: "appended", events, duplicate: false, recordedAtMs };
}

function duplicate({ planned, index, answer }: Place): CallResult {
  const known = knownEvents(answer, index);
  const events: AppendedEvent[] = [];
  for (const { id } of planned.request.events) {
    const there = known?.get(id);
    if (!there) return new InvariantViolation(`The stored event ${id} did not come back.`);
    events.push(there);
  }
  const recordedAtMs = events[0]?.recordedAtMs ?? answer.clockMs;
  return { outcome: "appended", events, duplicate: true, recordedAtMs };
}

/** Events of a request that were recorded already, by id; undefined: none was. */
function knownEvents(
  { events }: Answer,
  index: number,
): ReadonlyMap<string, AppendedEvent> | undefined {
  const rows = events.get(index);
  return (
    rows &&
    new Map(
      rows.map((row) => {
        const { position, sequence: at, recordedAtMs } = toStoredEvent(row);
        return [row.ce_id, { position, sequence: at, recordedAtMs }] as const;
      }),
    )
  );
}

function conflict({ index, answer }: Place): AppendVerdict {
  const rows = answer.events.get(index) ?? [];
  return {
    outcome: "conflict",
    newer: rows.slice(0, answer.newerMax).map(toStoredEvent),
    cut: rows.length > answer.newerMax,
  };
}

const holdGone = (): FatalError =>
  new FatalError(
    "hold-lost",
    "An append named itself the holder of the event store, and nobody holds the store.",
    "Take the hold again before appending.",
  );
