import type { FastifyReply } from "fastify";

import type { ApiServer } from "./context.ts";
import { ProblemError, retryAfter } from "./problem.ts";

/** An answer that has begun or is under way, and when its time is over (monotonic). */
type Pending = Map<FastifyReply, number>;

/**
 * Answers 503 `answer-timeout` to who has waited so long, from the request's head on. Everybody has
 * the same time, so that those who came first are due first: one timer does for all. Fastify's own
 * `handlerTimeout` makes a timer, an abort signal and, as soon as the body is read, an error for each
 * request.
 */
export function limitAnswerTime(app: ApiServer, withinMs: number): void {
  const pending: Pending = new Map();
  let timer: NodeJS.Timeout | undefined;
  const answerDue = (): void => {
    timer = undefined;
    const nowMs = performance.now();
    for (const [reply, dueMs] of pending) {
      if (dueMs > nowMs) return wakeAt(dueMs - nowMs);
      pending.delete(reply);
      endLate(reply);
    }
  };
  const wakeAt = (inMs: number): void => {
    timer ??= setTimeout(answerDue, Math.ceil(inMs)).unref();
  };
  app.addHook("onRequest", (_, reply, done) => {
    pending.set(reply, performance.now() + withinMs);
    wakeAt(withinMs);
    done();
  });
  app.addHook("onResponse", (_, reply, done) => {
    pending.delete(reply);
    done();
  });
}

/** Streams that were handed over see to their own end. */
function endLate(reply: FastifyReply): void {
  if (reply.sent) return;
  if (reply.raw.headersSent) reply.raw.destroy();
  else void reply.send(answerTimeout());
}

const answerTimeout = (): ProblemError =>
  new ProblemError({
    status: 503,
    code: "answer-timeout",
    detail:
      "The answer took too long. Whether a command was carried out is unknown: ask, or send it again.",
    headers: retryAfter(2),
  });
