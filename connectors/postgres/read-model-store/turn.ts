import type { PoolClient } from "pg";

/** Held to the transaction's end: opening, swapping and retiring of one projection come one by one. */
export async function takeTurn(client: PoolClient, projection: string): Promise<void> {
  await lockName(client, `refold read model ${projection}`);
}

/** The same for making generations, which may take long: nobody who opens or swaps waits for it. */
export async function takeMakingTurn(client: PoolClient, projection: string): Promise<void> {
  await lockName(client, `refold new generation ${projection}`);
}

async function lockName(client: PoolClient, name: string): Promise<void> {
  await client.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [name]);
}
