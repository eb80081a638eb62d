import type { Pool, PoolClient } from "pg";

import { generationUnknown } from "../../../engine/generation-faults.ts";
import type { HealAsk, HealOutcome } from "../../../engine/ports/generations.ts";
import type { Generation } from "../../../engine/ports/read-model-store.ts";
import { storableText, toJson } from "../stored-json.ts";
import { commit, inTransaction, runStatement } from "../transaction.ts";
import { giveTurn } from "./turns.ts";

export function askHeal(
  pool: Pool,
  { projection, generation, key }: Omit<HealAsk, "id">,
): Promise<bigint> {
  return inTransaction(pool, `Asking to heal a row of ${projection}`, async (client) => {
    const { rows } = await client.query<{ id: bigint }>(
      `insert into refold.heal_asks (projection, generation, key)
       select projection, generation, $3 from refold.generations
       where projection = $1 and generation = $2 and role is distinct from 'removed'
       returning id`,
      [projection, generation, storableText(key)],
    );
    if (rows[0] === undefined) throw generationUnknown(projection, generation);
    await giveTurn(client);
    return commit(rows[0].id);
  });
}

/** Oldest first. */
export function openHealAsks(pool: Pool, limit: number): Promise<HealAsk[]> {
  return runStatement<{ id: bigint; projection: string; generation: number; key: string }>(pool, {
    doing: "Looking for rows to heal",
    stage: "preparing",
    name: "refold-open-heals",
    text: `select id, projection, generation, key from refold.heal_asks
      where answered_at is null order by id limit $1`,
    values: [limit],
  });
}

/** The first answer counts. */
export function answerHeal(pool: Pool, id: bigint, outcome: HealOutcome): Promise<void> {
  return inTransaction(pool, "Answering a heal", async (client) => {
    await client.query(
      `update refold.heal_asks set outcome = $2, answered_at = clock_timestamp()
       where id = $1 and answered_at is null`,
      [id, toJson(outcome)],
    );
    await giveTurn(client);
    return commit(undefined);
  });
}

export async function healOutcome(pool: Pool, id: bigint): Promise<HealOutcome | undefined> {
  const [row] = await runStatement<{ outcome: HealOutcome | null }>(pool, {
    doing: "Looking for a heal's outcome",
    stage: "preparing",
    text: "select outcome from refold.heal_asks where id = $1",
    values: [id],
  });
  return row?.outcome ?? undefined;
}

/** A generation that is given up: nobody heals it any more. */
export async function giveUpHeals(
  client: PoolClient,
  { projection, generation }: Pick<Generation, "projection" | "generation">,
): Promise<void> {
  const outcome: HealOutcome = { kind: "failed", reason: "The generation isn't kept any more." };
  await client.query(
    `update refold.heal_asks set outcome = $3, answered_at = clock_timestamp()
     where projection = $1 and generation = $2 and answered_at is null`,
    [projection, generation, toJson(outcome)],
  );
}
