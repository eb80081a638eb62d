import type { FastifyReply, FastifyRequest } from "fastify";

/** What a Confluent registry speaks; the first is what it answers with where all will do. */
export const mediaTypes = [
  "application/vnd.schemaregistry.v1+json",
  "application/vnd.schemaregistry+json",
  "application/json",
] as const;

/** What bodies may be called beside these: all are read as JSON. */
export const bodyMediaTypes = [...mediaTypes, "application/octet-stream"] as const;

/** Answers with JSON, in the media type that the request likes best. */
export function answer(request: FastifyRequest, reply: FastifyReply, value: unknown): FastifyReply {
  return reply.header("content-type", mediaTypeOf(request)).send(JSON.stringify(value));
}

/** Answers with a schema itself, not with JSON about it. */
export function answerText(request: FastifyRequest, reply: FastifyReply, text: string) {
  return reply.header("content-type", mediaTypeOf(request)).send(text);
}

/** By the weights of `Accept` (RFC 9110, 12.5.1); the registry's own where nothing fits. */
function mediaTypeOf(request: FastifyRequest): string {
  const accepted = (request.headers.accept ?? "*/*").split(",").map(weighted);
  const liked = accepted
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .flatMap(({ range }) => mediaTypes.find((type) => inRange(type, range)) ?? []);
  return liked[0] ?? mediaTypes[0];
}

function weighted(accepted: string): { readonly range: string; readonly weight: number } {
  const [range = "", ...parameters] = accepted.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  return { range, weight: weight === undefined ? 1 : Number(weight) || 0 };
}

const inRange = (type: string, range: string): boolean =>
  range === "*/*" || range === "application/*" || range === type;
