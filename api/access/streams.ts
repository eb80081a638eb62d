import type { FastifyRequest } from "fastify";

import type { Clock } from "../../engine/ports/clock.ts";
import type { Access, Identity, SessionEnding } from "./contract.ts";

/** Why a stream that needs a session ends with it. */
export type SessionEndCode = "session-expired" | "session-revoked";

/** WebSocket close codes of this application's own (RFC 6455, 7.4.2). */
export const sessionCloseCodes = { "session-expired": 4001, "session-revoked": 4003 } as const;

/** What can be told that it ends: an outlet of a stream. */
export interface EndingOutlet {
  readonly end: (code: SessionEndCode, reason: string) => void;
}

/** Who has opened a stream, by token or ticket; undefined on a server that is open to everybody. */
export const openedBy = ({ identity }: Pick<FastifyRequest, "identity">): Identity | undefined =>
  identity;

export interface StreamSessions {
  readonly access?: Access;
  readonly clock: Clock;
}

const reasons: Readonly<Record<SessionEnding, string>> = {
  expired: "the session's time is over: sign in again",
  revoked: "the session was ended",
};

/**
 * Ends a stream when the session ends by which it was opened, once. What it gives back must be
 * called when the stream closes by itself, and may be called at any time.
 */
export function endsWith(
  { access, clock }: StreamSessions,
  identity: Identity | undefined,
  outlet: EndingOutlet,
): () => void {
  if (access === undefined || identity === undefined) return () => undefined;
  const over = new AbortController();
  const end = (how: SessionEnding) => {
    if (over.signal.aborted) return;
    stop();
    outlet.end(`session-${how}`, reasons[how]);
  };
  const unwatch = access.sessions.watch(identity.sessionId, end);
  const stop = () => {
    unwatch();
    over.abort();
  };
  const leftMs = Math.max(0, identity.expiresAtMs - clock.nowMs());
  void clock.sleep(leftMs, over.signal).then(() => end("expired"));
  const known = access.sessions.endOf(identity.sessionId);
  if (known !== undefined) end(known);
  return stop;
}
