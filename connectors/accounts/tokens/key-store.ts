import type { JWK } from "jose";

import type { KeyTimes } from "./key-schedule.ts";

/** A key as it is stored. Its private part is a secret: it is in no message and no log. */
export interface StoredKey extends KeyTimes {
  /** The thumbprint of the public key (RFC 7638). */
  readonly kid: string;
  readonly privateJwk: JWK;
  readonly madeAtMs: number;
}

/** Where the signing keys of all instances are. */
export interface KeyStore {
  /** All keys, the oldest first. */
  keys(): Promise<readonly StoredKey[]>;
  /**
   * Puts in place of all keys what is made of them; undefined: they stay. One change is made at a
   * time, over all instances, and each sees what the one before it made: of many that find a key
   * due, one makes it.
   *
   * @returns the keys as they are then.
   */
  change(
    of: (keys: readonly StoredKey[]) => Promise<readonly StoredKey[] | undefined>,
  ): Promise<readonly StoredKey[]>;
}
