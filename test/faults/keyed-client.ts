import { setTimeout as delay } from "node:timers/promises";

import { until } from "../e2e/refold-process.ts";

/** A command under a key of its client's. */
export interface KeyedCommand {
  readonly method: "POST" | "DELETE";
  readonly path: string;
  readonly key: string;
  readonly body?: object;
}

/** A last answer: the command was decided, one way or the other. */
export interface Answer {
  readonly status: number;
  /** As it came. */
  readonly text: string;
  readonly position: string | null;
  readonly replayed: boolean;
}

/** Answers that say nothing of what the command has done: ask again. */
const open = (status: number, text: string): boolean =>
  status >= 500 || text.includes('"idempotency-key-in-progress"');

/** Longer than a kill and the start after it take. */
const patienceMs = 60_000;

/**
 * Sends commands until they are answered, whatever becomes of the server in between, always under
 * the same key, and remembers every answer.
 */
export class KeyedClient {
  /** Of the API, as it listens now. */
  http = "";
  /** The first answer to each command, by its key. */
  readonly answered = new Map<
    string,
    { readonly command: KeyedCommand; readonly answer: Answer }
  >();
  /** Answers to one command that are not the same. */
  readonly contradictions: string[] = [];
  /** Requests without an answer, or with one that settles nothing. */
  unanswered = 0;

  /** Now and then the command is sent twice at once: both get the same answer. */
  async send(command: KeyedCommand): Promise<Answer> {
    const twice = Math.random() < 0.25;
    const [answer] = await Promise.all([
      this.#untilAnswered(command),
      twice ? this.#untilAnswered(command) : undefined,
    ]);
    return answer;
  }

  /** Members of a resource, as soon as the server answers with 200. */
  get(path: string): Promise<Readonly<Record<string, unknown>>> {
    return until(
      async () => {
        const got = await this.#fetched(path, {});
        if (got?.status === 200) return JSON.parse(got.text) as Readonly<Record<string, unknown>>;
        return this.#pause();
      },
      patienceMs,
      () => `an answer to GET ${path}`,
    );
  }

  async #untilAnswered(command: KeyedCommand): Promise<Answer> {
    const { method, path, key, body } = command;
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const init = {
      method,
      headers: { ...json, "idempotency-key": `"${key}"` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    let last: Answer | undefined;
    const answer = await until(
      async () => {
        last = await this.#fetched(path, init);
        if (last !== undefined && !open(last.status, last.text)) return last;
        this.unanswered += 1;
        return this.#pause();
      },
      patienceMs,
      () => `an answer to ${method} ${path} under ${key}, not ${JSON.stringify(last)}`,
    );
    this.#compare(command, answer);
    return answer;
  }

  #compare(command: KeyedCommand, answer: Answer): void {
    const { key } = command;
    const known = this.answered.get(key)?.answer;
    if (known === undefined) this.answered.set(key, { command, answer });
    else if (!same(command, known, answer)) {
      this.contradictions.push(`${key}: ${JSON.stringify(known)}, then ${JSON.stringify(answer)}`);
    }
  }

  /** undefined: there was no answer, or only a part of one. */
  async #fetched(path: string, init: RequestInit): Promise<Answer | undefined> {
    try {
      const response = await fetch(`${this.http}${path}`, init);
      const text = await response.text();
      const { status, headers } = response;
      const replayed = headers.get("idempotency-replayed") === "true";
      return { status, text, position: headers.get("refold-position"), replayed };
    } catch {
      return undefined;
    }
  }

  async #pause(): Promise<undefined> {
    await delay(10 + Math.random() * 40);
    return undefined;
  }
}

/** What found nothing left to do tells the end of its lane as it is now; all else stays the same. */
function same({ method }: KeyedCommand, one: Answer, other: Answer): boolean {
  if (one.status !== other.status || one.text !== other.text) return false;
  return method === "DELETE" || one.position === other.position;
}
