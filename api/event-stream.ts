import type { FastifyReply } from "fastify";

/** Begins an answer of server-sent events. From here on it is written by hand. */
export function beginEventStream(reply: FastifyReply): FastifyReply["raw"] {
  reply.hijack();
  const { raw: response } = reply;
  const headers = {
    ...reply.getHeaders(),
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
  };
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value ?? "");
  response.flushHeaders();
  return response;
}
