import { getHashes } from "node:crypto";

import type { ColumnRewrite } from "../tables/selection.ts";
import type { Rewrite } from "../types/rewritten.ts";
import { splitList, type ConfigReader } from "./config-reader.ts";

const truncation = /^column\.truncate\.to\.(\d+)\.chars$/;
const masking = /^column\.mask\.with\.(\d+)\.chars$/;
const hashing = /^column\.mask\.hash\.(v2\.)?([^.]+)\.with\.salt\.(.+)$/;
const masked = "*";

/**
 * What stands in place of columns' values, in the order in which the connector looks: of several
 * that match a column, the first counts.
 */
export function rewritesOf(config: ConfigReader): readonly ColumnRewrite[] | undefined {
  const found = [
    ...matching(config, truncation, ([length]) => ({ kind: "truncate", length: Number(length) })),
    ...matching(config, masking, ([length]) => ({
      kind: "mask",
      text: masked.repeat(Number(length)),
    })),
    ...matching(config, hashing, (groups, name) => hash(config, groups, name)),
  ];
  return found.length > 0 ? found : undefined;
}

type Groups = readonly (string | undefined)[];

function matching(
  config: ConfigReader,
  expression: RegExp,
  make: (groups: Groups, name: string) => Rewrite | undefined,
): ColumnRewrite[] {
  return config.namesWith("column.").flatMap((name) => {
    const groups = expression.exec(name)?.slice(1);
    if (!groups) return [];
    const rewrite = make(groups, name);
    const columns = splitList(config.textOr(name, "")).flatMap((one) => config.pattern(name, one));
    return rewrite ? [{ columns, rewrite }] : [];
  });
}

function hash(
  config: ConfigReader,
  [version, given = "", salt = ""]: Groups,
  name: string,
): Rewrite | undefined {
  const algorithm = given.toLowerCase().replace(/^(sha)-(\d+)$/, "$1$2");
  if (!getHashes().includes(algorithm)) {
    config.fault(`${name} (no digest has the name ${given} here)`);
    return undefined;
  }
  return { kind: "hash", algorithm, salt, input: version ? "text" : "serialized" };
}
