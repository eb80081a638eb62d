import type { JWK } from "jose";
import type { Pool, PoolClient } from "pg";

import { TransientError } from "../../../engine/errors.ts";
import type { KeyStore, StoredKey } from "./key-store.ts";

interface Row {
  readonly kid: string;
  readonly private_jwk: JWK;
  readonly made_at: Date;
  readonly signs_from: Date;
  readonly signs_until: Date;
  readonly verifies_until: Date;
}

/** Held for the transaction of a change. */
const lockKey = 7_365_846_031;

const selectText = "select * from refold.signing_keys order by signs_from, kid";

const putText = `
  insert into refold.signing_keys
    (kid, private_jwk, made_at, signs_from, signs_until, verifies_until)
  values ($1, $2, $3, $4, $5, $6)
  on conflict (kid) do update
    set signs_until = excluded.signs_until, verifies_until = excluded.verifies_until`;

/** Keys as rows of Postgres, changed under an advisory lock. */
export class PostgresKeyStore implements KeyStore {
  readonly #pool: Pool;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
  }

  async keys(): Promise<readonly StoredKey[]> {
    return (await this.#pool.query<Row>(selectText)).rows.map(keyOf);
  }

  async change(of: Parameters<KeyStore["change"]>[0]): Promise<readonly StoredKey[]> {
    const client = await this.#pool.connect();
    let broken = true;
    try {
      await client.query("begin");
      await client.query("select pg_advisory_xact_lock($1)", [lockKey]);
      const found = (await client.query<Row>(selectText)).rows.map(keyOf);
      const wanted = await of(found);
      if (wanted !== undefined) await replace(client, found, wanted);
      await client.query("commit");
      broken = false;
      return wanted ?? found;
    } finally {
      // The server rolls back what a connection leaves behind.
      client.release(broken);
    }
  }
}

async function replace(
  client: PoolClient,
  found: readonly StoredKey[],
  wanted: readonly StoredKey[],
): Promise<void> {
  const kept = new Set(wanted.map(({ kid }) => kid));
  const gone = found.map(({ kid }) => kid).filter((kid) => !kept.has(kid));
  await client.query("delete from refold.signing_keys where kid = any($1)", [gone]);
  for (const key of wanted) await put(client, key);
}

/** The server's own errors can carry the row, and with it the private key: none goes on. */
async function put(client: PoolClient, key: StoredKey): Promise<void> {
  const times = [key.madeAtMs, key.signsFromMs, key.signsUntilMs, key.verifiesUntilMs];
  const values = [key.kid, JSON.stringify(key.privateJwk), ...times.map((ms) => new Date(ms))];
  try {
    await client.query(putText, values);
  } catch (error) {
    const { code = "unknown" } = error as { readonly code?: string };
    throw new TransientError("keys-not-stored", `A signing key could not be stored (${code}).`);
  }
}

const keyOf = (row: Row): StoredKey => ({
  kid: row.kid,
  privateJwk: row.private_jwk,
  madeAtMs: row.made_at.getTime(),
  signsFromMs: row.signs_from.getTime(),
  signsUntilMs: row.signs_until.getTime(),
  verifiesUntilMs: row.verifies_until.getTime(),
});
