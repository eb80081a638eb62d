import type { FastifyReply, FastifyRequest } from "fastify";

import type { CommandCall } from "../../engine/decision/definition.ts";
import type { CommandDecision, CommandResult } from "../../engine/decision/outcome.ts";
import type { CallMore } from "../../engine/decision/group.ts";
import type { KeptOnce } from "../../engine/ports/alongside.ts";
import type { ApiContext } from "../context.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { keptAnswer } from "../idempotency/keys-in-use.ts";
import { markOf, type RequestMark } from "../idempotency/mark.ts";
import { ProblemError, retryAfter } from "../problem.ts";
import { originOf } from "../request-envelope.ts";
import {
  recordedTold,
  sendTold,
  type Teller,
  type Telling,
  type Told,
  toldOf,
  toldOfResult,
} from "./told.ts";

/** A command as a route asks for it, with the request to answer. */
export interface AskedCommand<Answer, Body> {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly call: CommandCall<Answer>;
  /** Pure: what it makes of a decision's answer is kept under the client's key. */
  readonly tell: (answer: Answer) => Telling<Body>;
  /** Awaited before the command is decided, unless its key has an answer already. */
  readonly after?: () => Promise<void>;
}

/**
 * Runs a command and sends its answer: what was accepted, or the refusal as a problem, with the
 * position that was written. Under a key of the client's the answer is kept in the transaction of
 * the decision, and whoever comes with the key again gets the same.
 *
 * @throws ProblemError for everything else, of which nothing is kept.
 */
export async function runCommand<Answer, Body>(
  context: ApiContext,
  asked: AskedCommand<Answer, Body>,
): Promise<Body> {
  const { request, reply } = asked;
  const { eventStore } = context.deps;
  const mark = markOf(request);
  const incarnation = await context.waits.incarnation();
  const run = { ...asked, teller: { url: request.url, incarnation, tell: asked.tell } };
  if (mark === undefined) await sendTold(reply, await told(context, run), eventStore);
  else {
    using _ = context.keysInUse.claim(mark);
    await sendTold(reply, await toldOnce(context, run, mark), eventStore);
  }
  // It has gone out as text. To types it is the body, so that the route's schema is held to it.
  return reply as never;
}

/**
 * Decides a command for somebody who gets no answer of its own.
 *
 * @throws ProblemError 503 `import-in-progress`.
 */
export async function decided<Answer>(
  { deps }: Pick<ApiContext, "deps">,
  request: FastifyRequest,
  call: CommandCall<Answer>,
): Promise<Exclude<CommandResult<Answer>, { readonly outcome: "held" }>> {
  return unlessHeld(await executed(deps, { request, call }));
}

/** A decision is what commands wait for when there are too many: how long it took tells of all. */
async function executed<Answer>(
  { decider, random }: Pick<ApiDependencies, "decider" | "random">,
  { request, call, more }: Executed<Answer>,
): Promise<CommandResult<Answer>> {
  const { place } = request;
  const execute = () => decider.execute(call, originOf(request, random), more);
  if (place === undefined) return execute();
  const result = await place.keep(execute);
  if (result.outcome !== "held") place.answered();
  return result;
}

interface Executed<Answer> {
  readonly request: FastifyRequest;
  readonly call: CommandCall<Answer>;
  readonly more?: CallMore<Answer>;
}

interface Run<Answer, Body> extends AskedCommand<Answer, Body> {
  readonly teller: Teller<Answer, Body>;
}

async function told<Answer, Body>(
  context: ApiContext,
  { call, after, request, teller }: Run<Answer, Body>,
): Promise<Told> {
  await aside(request, after);
  return toldOfResult(await decided(context, request, call), teller);
}

/** The answer that is kept under the key, or a new one that is kept from then on. */
async function toldOnce<Answer, Body>(
  { deps }: ApiContext,
  { call, after, request, reply, teller }: Run<Answer, Body>,
  mark: RequestMark,
): Promise<Told> {
  const again = (kept: KeptOnce): Told => {
    const { answer, events } = keptAnswer(kept, mark);
    void reply.header("idempotency-replayed", "true");
    // Nobody else keeps answers under these scopes.
    return recordedTold(answer as Told, events);
  };
  const known = await deps.idempotencyKeys.find(mark);
  if (known !== undefined) return again(known);
  await aside(request, after);
  const answer = (decision: CommandDecision): Told => toldOf(decision, teller);
  const more = { once: { ...mark, answer } };
  const result = await executed(deps, { request, call, more });
  return result.outcome === "repeated"
    ? again(result.kept)
    : toldOfResult(unlessHeld(result), teller);
}

/** Waits for what isn't this server's work at the request. */
async function aside(
  { place }: FastifyRequest,
  work: (() => Promise<void>) | undefined,
): Promise<void> {
  if (work === undefined) return;
  await (place === undefined ? work() : place.aside(work));
}

function unlessHeld<Answer>(
  result: CommandResult<Answer>,
): Exclude<CommandResult<Answer>, { readonly outcome: "held" }> {
  if (result.outcome !== "held") return result;
  throw new ProblemError({
    status: 503,
    code: "import-in-progress",
    detail: `${result.by} holds the store: commands are taken again when it has finished.`,
    headers: retryAfter(5),
  });
}
