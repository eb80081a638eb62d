import type { FieldDifference, RebuildProof } from "../../engine/ports/rebuilds.ts";
import { isEqual } from "../../engine/rebuild/index.ts";
import { countText } from "./amounts.ts";

/** What the comparison of both generations has shown, for people. */
export function proofText(proof: RebuildProof): string {
  return [
    headline(proof),
    `  serving  version ${proof.liveVersion}: ${sideText(proof.liveRows, proof.liveDigest)}`,
    `  rebuilt  version ${proof.shadowVersion}: ${sideText(proof.shadowRows, proof.shadowDigest)}`,
    `  recount of the rebuilt rows: ${proof.recount}; Redis: ${redisText[proof.redis]}`,
    `  what serves stood still for ${proof.heldMs.toFixed(0)} ms`,
    ...differenceLines(proof),
  ].join("\n");
}

function headline(proof: RebuildProof): string {
  if (isEqual(proof)) return "proved: at the same positions both hold the same rows";
  const { added, removed, changed, bucketsDiffering } = proof;
  if (proof.redis === "differs" && bucketsDiffering.length === 0) {
    return "differs in Redis alone: its rows aren't those that were written there";
  }
  const counts = `${added} rows added, ${removed} removed, ${changed} changed`;
  return proof.liveVersion === proof.shadowVersion
    ? `differs: ${counts}`
    : `another version: ${counts}, in the columns that both have`;
}

const sideText = (rows: number, digest: string): string =>
  `${countText(rows, "row")}, digest ${digest}`;

const redisText: Readonly<Record<RebuildProof["redis"], string>> = {
  none: "not kept there",
  equal: "equal",
  differs: "differs",
  behind: "behind, so that nothing can be told",
};

function differenceLines(proof: RebuildProof): string[] {
  const { bucketsDiffering, fields, file } = proof;
  return [
    ...(bucketsDiffering.length > 0
      ? [`  key buckets that differ: ${bucketsDiffering.join(", ")}`]
      : []),
    ...sampleLine("only rebuilt", proof.added, proof.addedSamples),
    ...sampleLine("only serving", proof.removed, proof.removedSamples),
    ...fields.flatMap(fieldLines),
    ...(file === undefined ? [] : [`  all differing rows: ${file}`]),
  ];
}

function sampleLine(what: string, count: number, keys: readonly string[]): string[] {
  if (count === 0) return [];
  const more = count > keys.length ? ", ..." : "";
  return [`  ${what} (${count}): ${keys.join(", ")}${more}`];
}

const fieldLines = ({ field, rows, samples }: FieldDifference): string[] => [
  `  ${field} differs in ${countText(rows, "row")}`,
  ...samples.map(({ key, live, shadow }) => `    ${key}: ${live} -> ${shadow}`),
];
