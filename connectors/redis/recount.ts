import type { AnyRow, Columns } from "../../engine/columns.ts";
import { type BucketDigest, digestBuckets, digestsOf, RowHasher } from "../../engine/digest.ts";
import type { Generation } from "../../engine/ports/read-model-store.ts";
import type { RedisConnection } from "./connection.ts";
import { bucketDigest } from "./digest-text.ts";
import { indexKey, partitionKey } from "./keys.ts";
import { RowText } from "./row-text.ts";
import { bucketScript, unlistedScript } from "./scripts.ts";

export interface RedisRecountOptions {
  readonly redis: Pick<RedisConnection, "command" | "scripts">;
  readonly generation: Pick<Generation, "projection" | "generation">;
  readonly columns: Columns;
  readonly partitions: number;
  /** Rows of one step: what others wait for meanwhile (default 1,000). */
  readonly rowsPerStep?: number;
  /** Looks at buckets that change whenever they are looked at (default 10). */
  readonly looksMax?: number;
}

export type RecountVerdict = "equal" | "differs" | "behind";

/**
 * Counts a generation's stored rows from nothing, while its writer goes on: do they give the digests
 * that are kept with them? A row that was changed by hand leaves those as they were, and so does one
 * that no list has and that is found by its key all the same.
 *
 * A bucket is looked at in one script. A row that came after the keys were listed makes a difference
 * once, and what was done by hand makes the same one again and again.
 *
 * @returns `behind` when a partition isn't whole, or never stood still enough for that.
 */
export async function recountRedis(options: RedisRecountOptions): Promise<RecountVerdict> {
  for (let partition = 0; partition < options.partitions; partition += 1) {
    const verdict = await recountPartition(options, partition);
    if (verdict !== "equal") return verdict;
  }
  return (await hasUnlisted(options)) ? "differs" : "equal";
}

const allBuckets = Array.from({ length: digestBuckets }, (_, bucket) => bucket);

async function recountPartition(
  options: RedisRecountOptions,
  partition: number,
): Promise<RecountVerdict> {
  const { looksMax = 10 } = options;
  let asked: readonly number[] = allBuckets;
  let before: ReadonlyMap<number, string> = new Map();
  for (let looks = 0; looks < looksMax; looks += 1) {
    const listed = await listedKeys(options, partition);
    const found = await differences(options, partition, { asked, listed });
    if (found === undefined) return "behind";
    if (found.size === 0) return "equal";
    if ([...found].some(([bucket, by]) => before.get(bucket) === by)) return "differs";
    asked = [...found.keys()];
    before = found;
  }
  return "behind";
}

type Listed = ReadonlyMap<number, readonly string[]>;

/** All keys of a partition that are listed, by bucket. */
async function listedKeys(
  { redis, generation, rowsPerStep = 1_000 }: RedisRecountOptions,
  partition: number,
): Promise<Listed> {
  const index = indexKey(partitionKey(generation, partition));
  const hasher = new RowHasher({});
  const listed = new Map<number, string[]>();
  let after: string | undefined;
  do {
    const from = after === undefined ? "-" : `(${after}`;
    const page = await redis.command(doing(generation), (server) =>
      server.zrangebylex(index, from, "+", "LIMIT", 0, rowsPerStep),
    );
    for (const key of page) {
      const bucket = hasher.bucket(key);
      const keys = listed.get(bucket);
      if (keys) keys.push(key);
      else listed.set(bucket, [key]);
    }
    after = page.length < rowsPerStep ? undefined : page.at(-1);
  } while (after !== undefined);
  return listed;
}

interface Look {
  readonly asked: readonly number[];
  readonly listed: Listed;
}

/** How stored and counted digests differ, as text, by bucket; undefined: it isn't whole. */
async function differences(
  options: RedisRecountOptions,
  partition: number,
  { asked, listed }: Look,
): Promise<ReadonlyMap<number, string> | undefined> {
  const { redis, generation, rowsPerStep = 1_000 } = options;
  const tag = partitionKey(generation, partition);
  const found = new Map<number, string>();
  for (const step of stepsOf(asked, listed, rowsPerStep)) {
    const calls = step.map((bucket) => ({
      script: bucketScript,
      keys: [tag],
      args: [bucket, ...(listed.get(bucket) ?? [])],
    }));
    const answers = await redis.scripts(doing(generation), "reading", calls);
    for (const [at, bucket] of step.entries()) {
      const [whole, text, rows] = answers[at] as [string | null, string, (string | null)[]];
      if (whole !== "1") return undefined;
      const counted = count(options, listed.get(bucket) ?? [], rows);
      const by = difference(bucketDigest(text), counted.get(bucket));
      if (by !== undefined) found.set(bucket, by);
    }
  }
  return found;
}

/** Buckets together as long as they have few rows; an empty one counts as a row. */
function stepsOf(asked: readonly number[], listed: Listed, rowsMax: number): number[][] {
  const steps: number[][] = [];
  let rows = rowsMax;
  for (const bucket of asked) {
    const own = 1 + (listed.get(bucket)?.length ?? 0);
    if (rows + own > rowsMax) {
      steps.push([]);
      rows = 0;
    }
    steps.at(-1)?.push(bucket);
    rows += own;
  }
  return steps;
}

function count(
  { columns }: RedisRecountOptions,
  keys: readonly string[],
  rows: readonly (string | null)[],
): ReadonlyMap<number, BucketDigest> {
  const text = new RowText(columns);
  return digestsOf(
    columns,
    keys.flatMap((key, at) => {
      const row = decoded(text, rows[at]);
      return row === undefined ? [] : [{ key, row }];
    }),
  );
}

/** What can't be read was written by others: it counts as no row. */
function decoded(text: RowText, row: string | null | undefined): AnyRow | undefined {
  try {
    return typeof row === "string" ? text.decode(row) : undefined;
  } catch {
    return undefined;
  }
}

function difference(
  stored: BucketDigest,
  { hash, rows }: BucketDigest = { hash: 0n, rows: 0 },
): string | undefined {
  if (stored.hash === hash && stored.rows === rows) return undefined;
  return `${BigInt.asUintN(64, stored.hash - hash)} ${stored.rows - rows}`;
}

/** Is there a row that isn't listed? All keys are gone through in small steps. */
async function hasUnlisted(options: RedisRecountOptions): Promise<boolean> {
  const { redis, generation, partitions, rowsPerStep = 1_000 } = options;
  const tags = Array.from({ length: partitions }, (_, at) => partitionKey(generation, at));
  const match = partitionKey(generation, 0).replace(/0\}$/, "*");
  let cursor = "0";
  do {
    const at = cursor;
    const [next, keys] = await redis.command(doing(generation), (server) =>
      server.scan(at, "MATCH", match, "COUNT", rowsPerStep),
    );
    cursor = next;
    const calls = tags.flatMap((tag) => {
      const rows = keys.filter((key) => key.startsWith(`${tag}:`));
      const args = rows.map((key) => key.slice(tag.length + 1));
      return rows.length > 0 ? [{ script: unlistedScript, keys: [tag, indexKey(tag)], args }] : [];
    });
    const unlisted = await redis.scripts(doing(generation), "reading", calls);
    if (unlisted.some((rows) => rows !== 0)) return true;
  } while (cursor !== "0");
  return false;
}

const doing = ({ projection }: Pick<Generation, "projection">): string =>
  `Counting ${projection}'s rows in Redis`;
