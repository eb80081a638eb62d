import type { Clock, Random } from "../../../engine/ports/clock.ts";
import type { HttpAnswer, HttpClient, HttpRequest } from "./http-client.ts";

export interface KeyedSenderOptions {
  readonly client: Pick<HttpClient, "send">;
  readonly clock: Clock;
  readonly random: Random;
  /** A command that isn't settled by then is given up. */
  readonly patienceMs: number;
  /** Told of each answer (default: nobody is). */
  readonly onAnswer?: (heard: HeardAnswer) => void;
  readonly pauseMinMs?: number;
  readonly pauseMaxMs?: number;
}

/** A command that is sent until it is settled. */
export interface KeyedCommand extends HttpRequest {
  /** When it should have been sent for the first time, by the monotonic clock; default: now. */
  readonly dueMs?: number;
}

export interface HeardAnswer {
  readonly command: HttpRequest;
  /** Whether it settles the command; otherwise its client is to come again. */
  readonly kind: "settled" | "put off";
  /** When this request of the command was due, by the monotonic clock. */
  readonly dueMs: number;
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
    const onAnswer = () => undefined;
    this.#options = { pauseMinMs: 50, pauseMaxMs: 2_000, onAnswer, ...options };
  }

  /** undefined: it was not settled in time, so that it may have been done or not. */
  async send({ dueMs, ...command }: KeyedCommand, key: string): Promise<Settled | undefined> {
    const { client, clock, patienceMs, onAnswer } = this.#options;
    const headers = { ...command.headers, "idempotency-key": `"${key}"` };
    const beganMs = clock.monotonicMs();
    const endsMs = beganMs + patienceMs;
    for (let tries = 1, sentMs = dueMs ?? beganMs; ; tries += 1, sentMs = clock.monotonicMs()) {
      const answer = await client.send({ ...command, headers });
      const settled = this.#settled(answer);
      if (settled !== undefined) onAnswer({ command, kind: "settled", dueMs: sentMs });
      else if (answer !== undefined) onAnswer({ command, kind: "put off", dueMs: sentMs });
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

  /** As long as the server says and a moment more, otherwise twice as long each time. */
  #pauseMs(answer: HttpAnswer | undefined, tries: number): number {
    const { random, pauseMinMs, pauseMaxMs } = this.#options;
    const told = answer?.header("retry-after");
    // Who was told has a time that was meant for him; only a second's fraction is left to chance.
    if (told !== undefined) return (Number(told) + random.next()) * 1_000;
    return Math.min(pauseMaxMs, pauseMinMs * 2 ** (tries - 1)) * (0.5 + random.next());
  }
}

function settledBy({ status, text }: HttpAnswer): Settled | undefined {
  const body = JSON.parse(text) as Settled["body"];
  // The first request under the key is still at work, in this life or the one before.
  return body["code"] === "idempotency-key-in-progress" ? undefined : { status, body };
}
