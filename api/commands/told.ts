import type { FastifyReply } from "fastify";

import type { CommandResult } from "../../engine/decision/outcome.ts";
import { InvariantViolation } from "../../engine/errors.ts";
import type { EventStore } from "../../engine/ports/event-store.ts";
import type { EventTopic } from "../../engine/topic.ts";
import { type KeyLane, laneOf, storedPosition, writtenPosition } from "../position-header.ts";
import { problemMedia, problemText } from "../problem.ts";
import { problemOfRefusal } from "../refusals.ts";

export type Accepted<Answer> = Extract<CommandResult<Answer>, { readonly outcome: "accepted" }>;

/** What a client is told of a command that was accepted. */
export interface Telling<Body> {
  readonly status: number;
  readonly body: Body;
  /** Path of what the command is about. */
  readonly location?: string;
  /** Where its events are, for the position of a command that found nothing left to do. */
  readonly of: { readonly topic: EventTopic; readonly key: string };
}

/** An answer to a command as it goes out, in a form that can be kept. */
export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** As it is sent. */
  readonly body: string;
  /**
   * Given where the command wrote nothing, because all was so already: the answer's position is
   * this lane's end when the answer goes out, which is at least as far as what made it so.
   */
  readonly lane?: KeyLane;
}

export interface Teller<Answer, Body> {
  readonly url: string;
  readonly incarnation: string;
  readonly tell: (result: Accepted<Answer>) => Telling<Body>;
}

/** What a client is told of a result. Pure: the same for the same result. */
export function toldOf<Answer, Body>(
  result: CommandResult,
  { url, incarnation, tell }: Teller<Answer, Body>,
): Told {
  const position = { "refold-position": writtenPosition(incarnation, result) };
  if (result.outcome === "refused") {
    const problem = problemOfRefusal(result.refusal);
    const headers = { "content-type": problemMedia, ...position };
    return { status: problem.status, headers, body: problemText(url, problem) };
  }
  if (result.outcome !== "accepted") {
    throw new InvariantViolation(`What was ${result.outcome} has no answer of its own.`);
  }
  const { status, body, location, of } = tell(result as Accepted<Answer>);
  const headers = {
    "content-type": "application/json; charset=utf-8",
    ...(location === undefined ? {} : { location }),
    ...position,
  };
  const all = { status, headers, body: JSON.stringify(body) };
  return result.recorded.length > 0 ? all : { ...all, lane: laneOf(of.key, of.topic) };
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
