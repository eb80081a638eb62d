import { Redis } from "ioredis";
import type { Pool } from "pg";
import { expect } from "vitest";

type Row = Readonly<Record<string, unknown>>;

/** Read models that Redis has too, with what is compared of them. */
const followed = [
  {
    projection: "seat-availability",
    columns: `module_code as "moduleCode", capacity, held, confirmed`,
  },
  { projection: "module-catalogue", columns: "code, title, capacity" },
] as const;

/** Redis has the rows that Postgres has, one by one: it follows, so it is waited for. */
export async function compareRedis(url: string, pool: Pool): Promise<void> {
  const redis = new Redis(url, { retryStrategy: () => null, lazyConnect: true });
  await redis.connect();
  try {
    for (const { projection, columns } of followed) {
      const { rows } = await pool.query<Row>(`select ${columns} from read."${projection}"`);
      const names = Object.keys(rows[0] ?? {});
      await expect
        .poll(async () => sorted(await rowsIn(redis, projection, names)), { timeout: 20_000 })
        .toEqual(sorted(rows));
    }
  } finally {
    redis.disconnect();
  }
}

async function rowsIn(redis: Redis, projection: string, names: readonly string[]): Promise<Row[]> {
  const rows: Row[] = [];
  const match = `refold:{${projection}:g*:p*}:*`;
  for await (const keys of redis.scanStream({ match, count: 1_000 })) {
    // A key may be told twice by one scan.
    const texts = await Promise.all((keys as string[]).map((key) => redis.get(key)));
    for (const text of texts) {
      const row = JSON.parse(text ?? "{}") as Row;
      rows.push(Object.fromEntries(names.map((name) => [name, row[name]])));
    }
  }
  return rows;
}

const sorted = (rows: readonly Row[]): string[] =>
  [...new Set(rows.map((row) => JSON.stringify(row)))].toSorted();
