import type { Clock, Random } from "../../../engine/ports/clock.ts";
import type { HttpAnswer, HttpClient, HttpRequest } from "./http-client.ts";

export interface KeyedSenderOptions {
  readonly client: Pick<HttpClient, "send">;
  readonly clock: Clock;
  readonly random: Random;
  /** A command that isn't settled by then is given up. */
  readonly patienceMs: number;
  readonly pauseMinMs?: number;
  readonly pauseMaxMs?: number;
}

/** An answer that settles a command, one way or the other. */
export interface Settled {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const putOff: ReadonlySet<number> = new Set([408, 429, 503]);

/** What came instead of answers that settle. */
export interface Troubles {
  /** Connections that ended without an answer. */
  broken: number;
  /** 429 and 503; 408, where a request came too slowly to be taken. */
  putOff: number;
  /** 5xx that no server should give. */
  failed: number;
}

/**
 * Sends commands until they are settled, always under the same Idempotency-Key: whether a command
 * whose answer was lost was done, its repetition tells.
 */
export class KeyedSender {
  readonly troubles: Troubles = { broken: 0, putOff: 0, failed: 0 };
  readonly #options: Required<KeyedSenderOptions>;

  constructor(options: KeyedSenderOptions) {
    this.#options = { pauseMinMs: 50, pauseMaxMs: 2_000, ...options };
  }

  /** undefined: it was not settled in time, so that it may have been done or not. */
  async send(command: HttpRequest, key: string): Promise<Settled | undefined> {
    const { client, clock, patienceMs } = this.#options;
    const headers = { ...command.headers, "idempotency-key": `"${key}"` };
    const endsMs = clock.monotonicMs() + patienceMs;
    for (let tries = 1; ; tries += 1) {
      const answer = await client.send({ ...command, headers });
      const settled = this.#settled(answer);
      if (settled !== undefined) return settled;
      const pauseMs = this.#pauseMs(answer, tries);
      if (clock.monotonicMs() + pauseMs > endsMs) return undefined;
      await clock.sleep(pauseMs);
    }
  }

  #settled(answer: HttpAnswer | undefined): Settled | undefined {
    if (answer === undefined) this.troubles.broken += 1;
    else if (putOff.has(answer.status)) this.troubles.putOff += 1;
    else if (answer.status >= 500) this.troubles.failed += 1;
    else return settledBy(answer);
    return undefined;
  }

  /** As long as the server says, otherwise twice as long each time; never all at once. */
  #pauseMs(answer: HttpAnswer | undefined, tries: number): number {
    const { random, pauseMinMs, pauseMaxMs } = this.#options;
    const toldMs = Number(answer?.header("retry-after") ?? 0) * 1_000;
    const ownMs = Math.min(pauseMaxMs, pauseMinMs * 2 ** (tries - 1));
    return Math.max(toldMs, ownMs) * (0.5 + random.next());
  }
}

function settledBy({ status, text }: HttpAnswer): Settled | undefined {
  const body = JSON.parse(text) as Settled["body"];
  // The first request under the key is still at work, in this life or the one before.
  return body["code"] === "idempotency-key-in-progress" ? undefined : { status, body };
}
