import type { FastifyReply } from "fastify";

import type { CommandDecision, CommandResult } from "../../engine/decision/outcome.ts";
import { InvariantViolation } from "../../engine/errors.ts";
import type { AppendedEvent, EventStore } from "../../engine/ports/event-store.ts";
import type { EventTopic } from "../../engine/topic.ts";
import {
  type KeyLane,
  laneOf,
  laneOfFact,
  placeOf,
  storedPosition,
  writtenPosition,
} from "../position-header.ts";
import { problemMedia, problemText } from "../problem.ts";
import { problemOfRefusal } from "../refusals.ts";
import { iso } from "../shapes.ts";

/** What a client is told of a command that was accepted. */
export interface Telling<Body> {
  readonly status: number;
  readonly body: Body;
  /**
   * The member of the body that tells when the command was recorded: `untilRecorded` in `body`. Only
   * of commands that write something.
   */
  readonly recordedAt?: MemberOf<Body>;
  /** Path of what the command is about. */
  readonly location?: string;
  /** Where its events are, for the position of a command that found nothing left to do. */
  readonly of: { readonly topic: EventTopic; readonly key: string };
}

type MemberOf<Body> = Body extends unknown ? keyof Body & string : never;

/** In the place of a time that isn't known before the command is recorded. */
export const untilRecorded = "";

/**
 * An answer to a command, in a form that can be kept: texts and whole numbers. What only the store
 * can give it is put in by `recordedTold`.
 */
export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** As it is sent, but for the time of recording. */
  readonly body: string;
  /**
   * Given where the command wrote nothing, because all was so already: the answer's position is
   * this lane's end when the answer goes out, which is at least as far as what made it so.
   */
  readonly lane?: KeyLane;
  /** Given where the command wrote something. Without it the answer is complete. */
  readonly written?: Written;
}

/** What completes an answer, together with what the store gave the command's events. */
interface Written {
  readonly incarnation: string;
  /** Of the events, in their order. */
  readonly lanes: readonly KeyLane[];
  /** The member of the body that tells when the first of them was recorded. */
  readonly recordedAt?: string;
}

export interface Teller<Answer, Body> {
  readonly url: string;
  readonly incarnation: string;
  readonly tell: (answer: Answer) => Telling<Body>;
}

/** What a client is told of a decision. Pure: the same for the same decision. */
export function toldOf<Answer, Body>(
  decision: CommandDecision,
  teller: Teller<Answer, Body>,
): Told {
  if (decision.outcome === "refused") {
    const problem = problemOfRefusal(decision.refusal);
    const position = writtenPosition(teller.incarnation, []);
    const headers = { "content-type": problemMedia, "refold-position": position };
    return { status: problem.status, headers, body: problemText(teller.url, problem) };
  }
  const { status, body, location, of, recordedAt } = teller.tell(decision.answer as Answer);
  const headers = {
    "content-type": "application/json; charset=utf-8",
    ...(location === undefined ? {} : { location }),
  };
  const all = { status, headers, body: JSON.stringify(body) };
  const lanes = decision.facts.map(laneOfFact);
  if (lanes.length > 0) {
    const { incarnation } = teller;
    return { ...all, written: { incarnation, lanes, ...(recordedAt && { recordedAt }) } };
  }
  if (recordedAt === undefined) return { ...all, lane: laneOf(of.key, of.topic) };
  throw new InvariantViolation(
    `An answer tells in ${recordedAt} when its command was recorded, which wrote nothing.`,
  );
}

/** What a client is told of a result: the same as of its decision, once that is recorded. */
export function toldOfResult<Answer, Body>(
  result: CommandResult<Answer>,
  teller: Teller<Answer, Body>,
): Told {
  if (result.outcome === "refused") return toldOf(result, teller);
  if (result.outcome !== "accepted") {
    throw new InvariantViolation(`What was ${result.outcome} has no answer of its own.`);
  }
  const { outcome, answer, recorded } = result;
  const told = toldOf({ outcome, answer, facts: recorded.map(({ fact }) => fact) }, teller);
  return recordedTold(
    told,
    recorded.map(({ at }) => at),
  );
}

/** The answer with what the store gave its events, in their order. */
export function recordedTold(told: Told, events: readonly AppendedEvent[]): Told {
  const { written, ...all } = told;
  const [first] = events;
  if (written === undefined || first === undefined) return all;
  const { incarnation, lanes, recordedAt } = written;
  const places = events.map((at, index) => placeOf(lanes[index] as KeyLane, at));
  const position = writtenPosition(incarnation, places);
  const headers = { ...all.headers, "refold-position": position };
  if (recordedAt === undefined) return { ...all, headers };
  const body = { ...(JSON.parse(all.body) as object), [recordedAt]: iso(first.recordedAtMs) };
  return { ...all, headers, body: JSON.stringify(body) };
}

/** Sends an answer, unless the time for one is over: then the client was told so. */
export async function sendTold(
  reply: FastifyReply,
  { status, headers, body, lane }: Told,
  eventStore: Pick<EventStore, "incarnation" | "lanes">,
): Promise<void> {
  const written =
    lane === undefined ? {} : { "refold-position": await storedPosition(eventStore, lane) };
  if (reply.sent) return;
  void reply
    .code(status)
    .headers({ ...headers, ...written })
    .send(body);
}
