import type { RedisConnection } from "./connection.ts";

type Listed = { readonly projection: string; readonly generation: number; readonly role: string };

export interface RedisSweepOptions {
  readonly redis: RedisConnection;
  readonly projections: readonly string[];
  /** The generations that there are, from the store that has them. */
  readonly list: () => Promise<readonly Listed[]>;
  /** Keys of one step: what others wait for meanwhile (default 500). */
  readonly keysPerStep?: number;
}

/**
 * Takes away the keys of generations that are being removed, and of those that are unknown: what
 * was left when a process died, or when another database was used beside the same Redis.
 *
 * A generation that is made meanwhile is in the list that is read again after its keys were found.
 * All keys are gone through in small steps; the server frees them in the background.
 *
 * @returns How many keys were taken away.
 */
export async function sweepRedis(options: RedisSweepOptions): Promise<number> {
  const { redis, projections, keysPerStep = 500 } = options;
  const doing = "Removing old read models from Redis";
  const listed = async () => new Set((await options.list()).filter(isKept).map(nameOf));
  let kept = await listed();
  let removed = 0;
  let cursor = "0";
  do {
    const at = cursor;
    const [next, keys] = await redis.command(doing, (server) =>
      server.scan(at, "MATCH", "refold:{*", "COUNT", keysPerStep),
    );
    cursor = next;
    const isGone = (key: string): boolean => {
      const of = generationIn(key);
      return of !== undefined && projections.includes(of.projection) && !kept.has(nameOf(of));
    };
    if (!keys.some(isGone)) continue;
    kept = await listed();
    const gone = keys.filter(isGone);
    if (gone.length > 0) removed += await redis.command(doing, (server) => server.unlink(gone));
  } while (cursor !== "0");
  return removed;
}

const isKept = ({ role }: Listed): boolean => role !== "removing";

const nameOf = ({ projection, generation }: Pick<Listed, "projection" | "generation">): string =>
  `${projection} ${generation}`;

/** As `partitionKey` writes it. */
function generationIn(key: string): Pick<Listed, "projection" | "generation"> | undefined {
  const [, projection, generation] = /^refold:\{(.+):g(\d+):p\d+\}/.exec(key) ?? [];
  if (projection === undefined || generation === undefined) return undefined;
  return { projection, generation: Number(generation) };
}
