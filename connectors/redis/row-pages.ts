import type { AnyRow } from "../../engine/columns.ts";
import { compareText } from "../../engine/memory/find-rows.ts";
import type { RedisConnection } from "./connection.ts";
import { indexKey, partitionKey } from "./keys.ts";
import type { KnownGeneration } from "./known-generation.ts";
import { pageScript } from "./scripts.ts";

export interface KeyedRow {
  readonly key: string;
  readonly row: AnyRow;
}

export interface RowPages {
  readonly redis: RedisConnection;
  readonly known: KnownGeneration;
  /** At most 4,000: a script can't take more. */
  readonly pageRows: number;
}

export interface PartitionPage {
  readonly fields: readonly (string | null)[];
  readonly rows: readonly KeyedRow[];
}

/** A page of each of these partitions, with fields of where it stands, in one pipeline. */
export async function partitionPages(
  { redis, known, pageRows }: RowPages,
  after: ReadonlyMap<number, string | undefined>,
  fields: readonly string[],
): Promise<PartitionPage[]> {
  const { generation, text } = known;
  const calls = [...after].map(([partition, key]) => {
    const tag = partitionKey(generation, partition);
    const from = key === undefined ? "-" : `(${key}`;
    // A script's HMGET wants one field at least.
    const args = [from, Math.min(pageRows, 4_000), "whole", ...fields];
    return { script: pageScript, keys: [tag, indexKey(tag)], args };
  });
  const doing = `Reading rows of ${generation.projection} from Redis`;
  const answers = await redis.scripts(doing, "reading", calls);
  return answers.map((answer) => {
    const [[, ...found], keys, rows] = answer as [(string | null)[], string[], (string | null)[]];
    const read = keys.flatMap((key, at) => {
      const row = rows[at];
      return typeof row === "string" ? [{ key, row: text.decode(row) }] : [];
    });
    return { fields: found, rows: read };
  });
}

/** All rows in order of their keys' bytes, merged from the partitions; each page a moment of its own. */
export async function* scanRows(pages: RowPages): AsyncIterable<readonly KeyedRow[]> {
  const { partitions } = pages.known;
  const after = new Map<number, string | undefined>();
  for (let partition = 0; partition < partitions; partition += 1) after.set(partition, undefined);
  let waiting: KeyedRow[] = [];
  while (after.size > 0) {
    const asked = [...after.keys()];
    const found = await partitionPages(pages, after, []);
    // Rows above the least of the last keys may be followed by some that aren't read yet.
    let least: string | undefined;
    for (const [at, { rows }] of found.entries()) {
      const partition = asked[at] as number;
      const last = rows.length < pages.pageRows ? undefined : rows.at(-1)?.key;
      if (last === undefined) after.delete(partition);
      else {
        after.set(partition, last);
        if (least === undefined || compareText(last, least) < 0) least = last;
      }
      waiting.push(...rows);
    }
    waiting.sort((a, b) => compareText(a.key, b.key));
    const end = least;
    const sure =
      end === undefined ? waiting : waiting.filter((row) => compareText(row.key, end) <= 0);
    waiting = waiting.slice(sure.length);
    for (let from = 0; from < sure.length; from += pages.pageRows) {
      yield sure.slice(from, from + pages.pageRows);
    }
  }
}
