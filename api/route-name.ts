import type { FastifyRequest } from "fastify";

/** A request's route as the document names it: `POST /payments/{id}/card`. */
export const routeOf = ({ method, routeOptions }: FastifyRequest): string =>
  `${method} ${(routeOptions.url ?? "").replaceAll(/:(\w+)/g, "{$1}")}`;
