import type { Pool, PoolClient } from "pg";

import { generationUnknown } from "../../../engine/generation-faults.ts";
import type { GenerationRole, Swap, SwapVerdict } from "../../../engine/ports/generations.ts";
import { type SwapSide, swapRefusal } from "../../../engine/swap-check.ts";
import { ownedPartition, type PositionRow } from "../positions/stored-position.ts";
import { leadView } from "../read-model-store/served-view.ts";
import { movePointer, servingRow } from "../read-model-store/stored-generation.ts";
import { takeTurn } from "../read-model-store/turn.ts";
import { digestStatement, storedDigests, type BucketRow } from "../stored-digests.ts";
import { commit, inTransaction, rollback } from "../transaction.ts";
import { giveUpHeals } from "./heals.ts";
import { giveTurn } from "./turns.ts";

/** A flush may be in the middle of it; whoever asks for the swap tries again. */
const lockTimeoutMs = 2_000;

/**
 * Locks: the projection's turn, the positions of both generations in the order of flushes, then the
 * pointer, as flushes with notices do. Readers lock nothing that is locked here, and the view, which
 * people may be reading, follows after the commit.
 */
export async function swapGenerations(pool: Pool, swap: Swap): Promise<SwapVerdict> {
  const { projection } = swap;
  const verdict = await inTransaction(pool, `Swapping ${projection}`, async (client) => {
    await client.query(`set local lock_timeout = ${lockTimeoutMs}`);
    await takeTurn(client, projection);
    const refused = (await cantMove(client, swap)) ?? (await conditionFails(client, swap));
    if (refused !== undefined) return rollback<SwapVerdict>(refused);
    return commit<SwapVerdict>({ outcome: "swapped", atMs: await move(client, swap) });
  });
  if (verdict.outcome === "swapped") await leadView(pool, projection).catch(() => undefined);
  return verdict;
}

/**
 * The turn keeps the pointer and the roles as they are found here. Without the key: a flush that has
 * locked positions may need it for a new row of digests.
 */
async function cantMove(client: PoolClient, swap: Swap): Promise<SwapVerdict | undefined> {
  const { projection, from, to } = swap;
  const serving = await servingRow(client, projection);
  if (serving === undefined) throw generationUnknown(projection);
  const { rows } = await client.query<{ role: GenerationRole | null }>(
    `select role from refold.generations
     where projection = $1 and generation = $2 for no key update`,
    [projection, to],
  );
  const role = rows[0]?.role;
  const canServe = role === "building" || role === "kept";
  if (serving.generation === from && canServe) return undefined;
  return { outcome: "moved", serving: serving.generation };
}

async function conditionFails(client: PoolClient, swap: Swap): Promise<SwapVerdict | undefined> {
  const { projection, from, to, condition } = swap;
  const { rows } = await client.query<PositionRow & { readonly generation: number }>(
    `select * from refold.positions where consumer = $1 and generation in ($2, $3)
     order by generation, topic, partition for update`,
    [projection, from, to],
  );
  const side = async (generation: number): Promise<SwapSide> => ({
    standing: rows.filter((row) => row.generation === generation).map(ownedPartition),
    digests: condition === "equal" ? await digestsOf(client, projection, generation) : new Map(),
  });
  return swapRefusal(condition, await side(from), await side(to));
}

async function digestsOf(client: PoolClient, projection: string, generation: number) {
  const { rows } = await client.query<BucketRow>(digestStatement, [projection, generation]);
  return storedDigests(rows);
}

/** When it was done, by the database's clock. */
async function move(client: PoolClient, swap: Swap): Promise<number> {
  const { projection, from, to, keepMs } = swap;
  await movePointer(client, { projection, generation: to });
  const { rows } = await client.query<{ at: Date }>(
    `update refold.generations set role = $3, kept_until = case when $3 = 'kept'
       then clock_timestamp() + $4::float8 * interval '1 millisecond' end
     where projection = $1 and generation = $2
     returning (select since from refold.serving where projection = $1) as at`,
    [projection, from, keepMs > 0 ? "kept" : "removing", keepMs],
  );
  if (keepMs <= 0) await giveUpHeals(client, { projection, generation: from });
  await giveTurn(client);
  return rows[0]?.at.getTime() ?? 0;
}
