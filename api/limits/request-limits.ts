import type { FastifyReply, FastifyRequest } from "fastify";

import type { ApiServer } from "../context.ts";
import type { ApiDependencies } from "../dependencies.ts";
import type { ApiOptions } from "../options.ts";
import { type Problem, retryAfter, sendProblem } from "../problem.ts";
import { clientOf } from "./client.ts";
import type { Connections } from "./connections.ts";
import { Admission, type Place } from "./admission.ts";
import { priorityOf, takesItsTime } from "./priority.ts";
import { type Taken, TokenBuckets } from "./token-buckets.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Among those under way; undefined where no limit of the load counts it. */
    place: Place | undefined;
  }
}

/** Health and metrics: answered whatever the load, so that whoever watches can see it. */
export const probes: ReadonlySet<string> = new Set(["/livez", "/readyz", "/metrics"]);

export interface RequestLimits {
  readonly connections: Connections;
  readonly deps: Pick<ApiDependencies, "clock" | "random" | "metrics" | "loopLagMs">;
  readonly options: ApiOptions;
}

/**
 * Refuses, before anything of a request but its head has been looked at, what is more than the
 * options allow. The order is that of cost: what a client did wrong comes before what the server
 * can't do now.
 */
export function limitRequests(app: ApiServer, given: RequestLimits): void {
  const { connections, deps, options } = given;
  const limiter = new RequestLimiter(deps, options);
  app.decorateRequest("place", undefined);
  app.addHook("onRequest", (request, reply, done) => {
    const refused =
      connections.refusalOf(request.raw.socket) ??
      limiter.refusalOfUrl(request.raw.url ?? "") ??
      (probes.has(request.routeOptions.url ?? "") ? undefined : limiter.refusal(request, reply));
    if (refused === undefined) done();
    else void sendProblem(request, reply, refused);
  });
}

class RequestLimiter {
  readonly #options: ApiOptions;
  readonly #buckets: TokenBuckets;
  readonly #policy: string;
  readonly #admission: Admission;

  constructor(deps: RequestLimits["deps"], options: ApiOptions) {
    const { clientRequestsPerSecond: ratePerSecond, clientRequestBurst: burst } = options;
    this.#options = options;
    const { clientsMax } = options;
    this.#admission = new Admission({ ...deps, bounds: options });
    this.#buckets = new TokenBuckets({ ratePerSecond, burst, clientsMax, clock: deps.clock });
    this.#policy = `"requests";q=${burst};w=${Math.ceil(burst / ratePerSecond)}`;
  }

  refusalOfUrl(url: string): Problem | undefined {
    const { urlBytesMax, queryBytesMax } = this.#options;
    if (url.length > urlBytesMax) {
      const detail = `The URL has ${url.length} bytes; at most ${urlBytesMax} are taken.`;
      return { status: 414, code: "url-too-long", detail };
    }
    const at = url.indexOf("?");
    const queryBytes = at < 0 ? 0 : url.length - at - 1;
    if (queryBytes <= queryBytesMax) return undefined;
    const detail = `The query string has ${queryBytes} bytes; at most ${queryBytesMax} are taken.`;
    return { status: 414, code: "query-too-long", detail };
  }

  refusal(request: FastifyRequest, reply: FastifyReply): Problem | undefined {
    const taken = this.#buckets.take(clientOf(request.ip));
    void reply.headers(this.#headersOf(taken));
    if (!taken.allowed) return this.#tooMany(taken);
    return this.#refusalForLoad(request, reply);
  }

  #refusalForLoad(request: FastifyRequest, reply: FastifyReply): Problem | undefined {
    const priority = priorityOf(request);
    if (priority === undefined) return undefined;
    const line = this.#admission.lineOf(priority);
    const refusal = line.refusal();
    if (refusal !== undefined || takesItsTime(request)) return refusal;
    const place = line.enter();
    request.place = place;
    reply.raw.once("close", () => {
      if (priority === "read" && reply.statusCode === 200) place.answered();
      place.close();
    });
    return undefined;
  }

  /** draft-ietf-httpapi-ratelimit-headers-10: the policy, and what is left of it. */
  #headersOf({ left, fullInMs }: Taken): Record<string, string> {
    return {
      "ratelimit-policy": this.#policy,
      ratelimit: `"requests";r=${left};t=${Math.ceil(fullInMs / 1_000)}`,
    };
  }

  #tooMany({ nextInMs }: Taken): Problem {
    const { clientRequestsPerSecond: rate, clientRequestBurst: burst } = this.#options;
    return {
      status: 429,
      code: "too-many-requests",
      detail: `This address sends more than ${rate} requests a second (${burst} at once).`,
      headers: retryAfter(Math.max(1, Math.ceil(nextInMs / 1_000))),
    };
  }
}
