import type { ReadModels, ReadModelsPart } from "./open-read-models.ts";

/**
 * Read models in Postgres, and in Redis where there is one: it follows what Postgres has committed,
 * and is asked first.
 *
 * @throws FatalError `redis-evicts` where Redis may throw keys away.
 */
export async function openReadModels(part: ReadModelsPart): Promise<ReadModels> {
  const { url, primary } = part;
  const projections = part.projections.filter(({ stores = [] }) => stores.includes("redis"));
  if (url === undefined || projections.length === 0) return withoutRedis(primary);
  // Its client takes a good part of a start, which most have no use for.
  const { openRedisReadModels } = await import("./redis-read-models.ts");
  return openRedisReadModels({ ...part, url, projections });
}

const withoutRedis = (primary: ReadModelsPart["primary"]): ReadModels => ({
  ...primary,
  shadowStore: primary.readModelStore,
  secondStore: undefined,
  sweep: () => Promise.resolve(),
  behindMs: () => 0,
  copies: () => [],
  following: () => [],
});
