/** What the server says no with: a problem of RFC 9457. */
export interface Problem {
  /** 0: the server couldn't be reached. */
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

export type Answer<Body> =
  | {
      readonly ok: true;
      readonly body: Body;
      /** Token of the position that a command wrote. */
      readonly position: string | undefined;
      /** By the server's clock, in milliseconds since 1970 (UTC): the browser's may be wrong. */
      readonly answeredAtMs: number;
    }
  | { readonly ok: false; readonly problem: Problem };

export interface Request {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly body?: unknown;
  /** The same command again is not done again. */
  readonly idempotencyKey?: string;
  /** The answer has what this position wrote. */
  readonly waitFor?: string | undefined;
}

const answerWithinMs = 20_000;

/** Asks the server, as whoever has signed in. */
export class Backend {
  /** Kept in memory alone: it is gone with the page. */
  #token: string | undefined;
  /** Called with each problem that says that the session can't be used. */
  readonly #onSessionRefused: (problem: Problem) => void;

  constructor(onSessionRefused: (problem: Problem) => void) {
    this.#onSessionRefused = onSessionRefused;
  }

  use(token: string | undefined): void {
    this.#token = token;
  }

  authorization(): Record<string, string> {
    return this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
  }

  async ask<Body>(path: string, request: Request = {}): Promise<Answer<Body>> {
    const token = this.#token;
    const answer = await this.#ask<Body>(path, request);
    // One that was refused under another token says nothing of the one that is used now.
    if (!answer.ok && token !== undefined && token === this.#token) this.refused(answer.problem);
    return answer;
  }

  /** A stream tells its refusals here too. */
  refused(problem: Problem): void {
    if (endsSession(problem)) this.#onSessionRefused(problem);
  }

  async #ask<Body>(path: string, request: Request): Promise<Answer<Body>> {
    const { method = "GET", body } = request;
    try {
      const response = await fetch(path, {
        method,
        headers: this.#headersOf(request),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        cache: "no-store",
        credentials: "omit",
        signal: AbortSignal.timeout(answerWithinMs),
      });
      if (!response.ok) return { ok: false, problem: await problemOf(response) };
      const position = response.headers.get("refold-position") ?? undefined;
      const text = await response.text();
      const told = Date.parse(response.headers.get("date") ?? "");
      const answeredAtMs = Number.isNaN(told) ? Date.now() : told;
      const read = (text === "" ? null : JSON.parse(text)) as Body;
      return { ok: true, body: read, position, answeredAtMs };
    } catch {
      return { ok: false, problem: unreachable };
    }
  }

  #headersOf({ body, idempotencyKey, waitFor }: Request): Record<string, string> {
    return {
      accept: "application/json",
      ...this.authorization(),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      ...(waitFor === undefined ? {} : { "refold-wait-for": waitFor }),
    };
  }
}

export const unreachable: Problem = {
  status: 0,
  code: "unreachable",
  detail: "The server can’t be reached. It is tried again; you can try again too.",
};

const endsSession = ({ status, code }: Problem): boolean =>
  status === 401 && code !== "sign-in-refused" && code !== "ticket-invalid";

/** A proxy on the way may answer with anything. */
export async function problemOf(response: Response): Promise<Problem> {
  const { status } = response;
  try {
    const { code, detail, title } = (await response.json()) as Record<string, unknown>;
    const told = typeof detail === "string" ? detail : title;
    return {
      status,
      code: typeof code === "string" ? code : "unknown",
      detail: typeof told === "string" ? told : `The server answered ${status}.`,
    };
  } catch {
    return { status, code: "unknown", detail: `The server answered ${status}.` };
  }
}
