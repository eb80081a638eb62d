import { Redis } from "ioredis";

import type { ClientTls } from "../tls/client-tls.ts";
import type { Findings } from "./finding.ts";

const versionMin = 7;
const timeoutMs = 3_000;

interface RedisPlace {
  readonly url: string;
  readonly tls: ClientTls | undefined;
}

/** Redis: version, eviction, and what would be left after a restart. */
export async function lookAtRedis(found: Findings, { url, tls }: RedisPlace): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    ...(tls === undefined ? {} : { tls }),
    retryStrategy: () => null,
  });
  // What is awaited says only that the connection is closed.
  let reason: Error | undefined;
  redis.on("error", (error) => (reason = error));
  try {
    await redis.connect();
    const facts = factsIn(`${await redis.info("server")}\n${await redis.info("memory")}`);
    lookAtFacts(found, facts);
  } catch (error) {
    throw reason ?? error;
  } finally {
    redis.disconnect();
  }
}

function lookAtFacts(found: Findings, facts: ReadonlyMap<string, string>): void {
  const version = facts.get("redis_version") ?? "unknown";
  if (Number.parseInt(version, 10) >= versionMin) found.ok(`version ${version}`);
  else found.warning(`version ${version}`, `Use Redis ${versionMin} or later.`);
  const policy = facts.get("maxmemory_policy") ?? "noeviction";
  if (policy === "noeviction") found.ok("maxmemory-policy noeviction");
  else {
    found.fault(
      `maxmemory-policy ${policy}: rows of read models would vanish one by one`,
      "Run config set maxmemory-policy noeviction, and set it in redis.conf.",
    );
  }
}

function factsIn(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(/\r?\n/).flatMap((line): [string, string][] => {
      const at = line.indexOf(":");
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );
}
