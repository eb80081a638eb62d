import type { AnsweredOnce, KeptOnce } from "../../engine/ports/alongside.ts";
import { ProblemError, retryAfter } from "../problem.ts";
import type { RequestMark } from "./mark.ts";

export interface KeysInUseOptions {
  /** Commands with keys that may be under way at once; the next is refused with 503. */
  readonly keyedCommandsMax: number;
}

/**
 * Keys of the commands that are under way in this process, so that a second request with one of
 * them is answered without asking the store. Other processes are held off by the store itself.
 */
export class KeysInUse {
  readonly #most: number;
  /** Fingerprints by scope and key. */
  readonly #used = new Map<string, string>();

  constructor({ keyedCommandsMax }: KeysInUseOptions) {
    this.#most = keyedCommandsMax;
  }

  /**
   * The key is this request's until what is returned is disposed of.
   *
   * @throws ProblemError 409 `idempotency-key-in-progress`, 422 `idempotency-key-reused`, or 503
   * `overloaded`.
   */
  claim(mark: RequestMark): Disposable {
    const name = `${mark.scope} ${mark.key}`;
    const fingerprint = this.#used.get(name);
    if (fingerprint !== undefined) {
      throw fingerprint === mark.fingerprint ? keyInProgress() : keyReused();
    }
    if (this.#used.size >= this.#most) throw tooManyInUse(this.#used.size);
    this.#used.set(name, mark.fingerprint);
    return { [Symbol.dispose]: () => void this.#used.delete(name) };
  }
}

/**
 * The answer that is kept under a key.
 *
 * @throws ProblemError 409 `idempotency-key-in-progress` while it is being made, 422
 * `idempotency-key-reused` when it answers another request.
 */
export function keptAnswer(kept: KeptOnce, mark: RequestMark): AnsweredOnce {
  if (kept.state === "in-progress") throw keyInProgress();
  if (kept.fingerprint !== mark.fingerprint) throw keyReused();
  return kept;
}

const keyInProgress = (): ProblemError =>
  new ProblemError({
    status: 409,
    code: "idempotency-key-in-progress",
    detail: "The first request with this Idempotency-Key is not answered yet. Ask again.",
    headers: retryAfter(1),
  });

const keyReused = (): ProblemError =>
  new ProblemError({
    status: 422,
    code: "idempotency-key-reused",
    detail: "This Idempotency-Key was sent with another request. A new request needs a new key.",
  });

const tooManyInUse = (count: number): ProblemError =>
  new ProblemError({
    status: 503,
    code: "overloaded",
    detail: `${count} commands with an Idempotency-Key are under way already. Try again.`,
    headers: retryAfter(1),
  });
