import { randomUUID } from "node:crypto";

import { TransientError } from "../../../engine/errors.ts";
import type { Clock } from "../../../engine/ports/clock.ts";
import { signatureOf } from "./signature.ts";

export interface ProviderClientOptions {
  /** Where its routes begin; a user and password in it are sent as basic authentication. */
  readonly url: string;
  /** What our requests are signed with. */
  readonly key: Uint8Array;
  readonly clock: Pick<Clock, "nowMs">;
  /** How long one answer may take. */
  readonly timeoutMs?: number;
  /** Bytes of an answer, beyond which it is refused. */
  readonly answerBytesMax?: number;
}

export interface ProviderRequest {
  /** Below the URL: `/charges`. */
  readonly path: string;
  /** The idempotency key. */
  readonly key: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

/**
 * Statuses after which the same request may work: a time-out, one with the same key that is still
 * at work, too early, too many, and a server that can't now.
 */
const isPassing = (status: number): boolean =>
  [408, 409, 425, 429].includes(status) || status >= 500;

/**
 * Requests to a provider of payments: JSON, with `Idempotency-Key` and signed as its webhooks are.
 *
 * Failures: TransientError when there is no answer in time, or it says that it can't now. An Error
 * for any other refusal, and for answers that make no sense.
 */
export class ProviderClient {
  readonly #options: Required<ProviderClientOptions>;
  readonly #base: string;
  readonly #authorization: string | undefined;

  constructor(options: ProviderClientOptions) {
    this.#options = { timeoutMs: 10_000, answerBytesMax: 64 * 1024, ...options };
    const url = new URL(options.url);
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    this.#authorization =
      credentials === ":" ? undefined : `Basic ${Buffer.from(credentials).toString("base64")}`;
    url.username = "";
    url.password = "";
    this.#base = url.href.replace(/\/+$/, "");
  }

  /** The fields of the answer's JSON object. */
  async post(request: ProviderRequest): Promise<Readonly<Record<string, unknown>>> {
    const { path, signal } = request;
    const { timeoutMs } = this.#options;
    const bound = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const { status, text } = await this.#ask(request, bound);
    if (isPassing(status)) {
      throw new TransientError("payments-away", `${this.#base}${path} answered ${status}.`);
    }
    if (status < 200 || status > 299) {
      throw new Error(`${this.#base}${path} refused with ${status}: ${text.slice(0, 200)}`);
    }
    return this.#fields(path, text);
  }

  async #ask({ path, key, body }: ProviderRequest, signal: AbortSignal) {
    const bytes = Buffer.from(JSON.stringify(body));
    try {
      const answer = await fetch(`${this.#base}${path}`, {
        method: "POST",
        headers: this.#headers(key, bytes),
        body: bytes,
        redirect: "manual",
        signal,
      });
      return { status: answer.status, text: await this.#textOf(answer) };
    } catch (cause) {
      if (cause instanceof AnswerTooLong) throw cause;
      const message = `${this.#base}${path} gave no answer: ${reasonOf(cause)}`;
      throw new TransientError("payments-away", message, { cause });
    }
  }

  #headers(key: string, body: Uint8Array): Record<string, string> {
    const id = `msg_${randomUUID()}`;
    const timestamp = String(Math.floor(this.#options.clock.nowMs() / 1_000));
    return {
      "content-type": "application/json",
      accept: "application/json",
      // A string of structured fields (RFC 9651, section 3.3.3).
      "idempotency-key": `"${key.replaceAll(/[\\"]/g, "\\$&")}"`,
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": signatureOf({ id, timestamp, body }, this.#options.key),
      ...(this.#authorization === undefined ? {} : { authorization: this.#authorization }),
    };
  }

  async #textOf({ body }: Response): Promise<string> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body ?? []) {
      bytes += chunk.length;
      if (bytes > this.#options.answerBytesMax) throw new AnswerTooLong(bytes);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  }

  #fields(path: string, text: string): Readonly<Record<string, unknown>> {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
    } catch {
      // Told below.
    }
    throw new Error(`${this.#base}${path} answered no JSON object: ${text.slice(0, 200)}`);
  }
}

/** `fetch` tells the reason in what caused its error. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause, message } = error;
  if (!(cause instanceof Error)) return message;
  // That of several addresses, each refused, has a code alone.
  return `${message} (${cause.message || String("code" in cause ? cause.code : cause.name)})`;
}

class AnswerTooLong extends Error {
  constructor(bytes: number) {
    super(`The provider's answer has ${bytes} bytes or more: it is not read.`);
  }
}
