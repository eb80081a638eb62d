import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

import { Gate } from "./gate.ts";
import { canBeChecked, normalised } from "./password-text.ts";
import { defaultCost, parsePhc, type PasswordHash, phcOf, type ScryptCost } from "./phc.ts";

export interface PasswordsOptions {
  /** Passwords that are hashed at once: each takes a thread and 32 MiB. */
  readonly checksMax: number;
  readonly checksWaitingMax: number;
  /** Of hashes that are made here (default: ln 15, r 8, p 1). */
  readonly cost?: ScryptCost;
}

const saltBytes = 16;
const hashBytes = 32;

/** Hashes passwords and compares them, so many at once; the work is done off the event loop. */
export class Passwords {
  readonly #gate: Gate;
  readonly #cost: ScryptCost;
  readonly #decoy: PasswordHash;

  constructor({ checksMax, checksWaitingMax, cost = defaultCost }: PasswordsOptions) {
    this.#gate = new Gate({ runningMax: checksMax, waitingMax: checksWaitingMax });
    this.#cost = cost;
    this.#decoy = { ...cost, salt: randomBytes(saltBytes), hash: randomBytes(hashBytes) };
  }

  /** A new PHC string, with a salt of its own. @throws TransientError `sign-in-busy` */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(saltBytes);
    const made = { ...this.#cost, salt, hash: Buffer.alloc(hashBytes) };
    return phcOf({ ...made, hash: await this.#gate.pass(() => computed(password, made)) });
  }

  /**
   * Is this the password? `undefined` as the stored hash: there is no such account, which takes as
   * long and is always a no.
   *
   * @throws UnusablePasswordHash (as late as a no would come), TransientError `sign-in-busy`
   */
  async matches(password: string, stored: string | undefined): Promise<boolean> {
    if (!canBeChecked(password)) return false;
    const { hash, fault } = this.#toCompute(stored);
    const found = await this.#gate.pass(() => computed(password, hash));
    if (fault !== undefined) throw fault;
    return timingSafeEqual(found, hash.hash) && hash !== this.#decoy;
  }

  #toCompute(stored: string | undefined): { hash: PasswordHash; fault?: unknown } {
    if (stored === undefined) return { hash: this.#decoy };
    try {
      return { hash: parsePhc(stored) };
    } catch (fault) {
      return { hash: this.#decoy, fault };
    }
  }
}

function computed(password: string, { ln, r, p, salt, hash }: PasswordHash): Promise<Buffer> {
  const N = 2 ** ln;
  // What OpenSSL counts: the blocks, and as much again as one pass needs beside them.
  const maxmem = 128 * r * (N + p + 2);
  return new Promise((resolve, reject) => {
    scrypt(normalised(password), salt, hash.length, { N, r, p, maxmem }, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}
