import type { RebuildFrom, RebuildRecord } from "../../engine/ports/rebuilds.ts";
import { isOpenRebuild } from "../../engine/rebuild-states.ts";
import { table } from "../table.ts";
import { planText } from "./plan-text.ts";
import { progressText } from "./progress-text.ts";
import { proofText } from "./proof-text.ts";

const headings = ["id", "projection", "version", "state", "from", "generation", "by", "since"];

/** Rebuilds for people, a line each. */
export function rebuildsTable(records: readonly RebuildRecord[]): string {
  if (records.length === 0) return "No rebuilds.";
  const rows = records.map((record) => [
    String(record.id),
    record.request.projection,
    String(record.request.version),
    stateText(record),
    fromText(record.request.from),
    record.shadow === undefined ? "-" : `${record.base} -> ${record.shadow}`,
    record.request.by,
    iso(record.createdAtMs),
  ]);
  return table(headings, rows);
}

/** One rebuild whole. */
export function rebuildText(record: RebuildRecord): string {
  const { request, asked, plan, progress, proof, failure } = record;
  const fields: (readonly [string, string | undefined])[] = [
    ["rebuild", String(record.id)],
    ["projection", `${request.projection}, version ${request.version}`],
    ["state", stateText(record)],
    ["from", fromText(request.from)],
    ["asked by", said(request)],
    ["since", iso(record.createdAtMs)],
    ["last change", iso(record.changedAtMs)],
    ["last wish", asked && `${asked.wish} at ${iso(asked.atMs)} by ${said(asked)}`],
    ["generations", generationsText(record)],
    ["conductor", isOpenRebuild(record) ? (record.conductor ?? "nobody now") : record.conductor],
    ["progress", progress && progressText(record)],
    ["swap", swapText(record)],
    ["failure", failure && `${failure.code}: ${failure.message}`],
  ];
  const lines = fields.flatMap(([name, text]) =>
    text === undefined ? [] : [`${name.padEnd(14)}${text}`],
  );
  return [
    ...lines,
    ...(plan === undefined ? [] : ["", "plan", planText(plan)]),
    ...(proof === undefined ? [] : ["", proofText(proof)]),
  ].join("\n");
}

/** A state with the wish that isn't carried out yet. */
export function stateText({ state, wish }: Pick<RebuildRecord, "state" | "wish">): string {
  if (wish === "pause" && isOpenRebuild({ state })) return `${state}, paused`;
  if (wish === "abandon" && isOpenRebuild({ state })) return `${state}, to be abandoned`;
  if (wish === "undo" && state === "swapped") return `${state}, to be undone`;
  return state;
}

function fromText(from: RebuildFrom): string {
  switch (from.kind) {
    case "earliest":
      return "earliest";
    case "time":
      return iso(from.atMs);
    case "positions":
      return from.offsets
        .map(({ topic, partition, offset }) => `${topic}/${partition}:${offset}`)
        .join(",");
    default:
      return from satisfies never;
  }
}

const said = ({ by, reason }: { by: string; reason: string | undefined }): string =>
  reason === undefined ? by : `${by} (${reason})`;

function generationsText({ base, shadow }: RebuildRecord): string {
  return shadow === undefined ? `${base} serves` : `${base} served, ${shadow} is rebuilt`;
}

function swapText({ swapHeldMs, undoUntilMs }: RebuildRecord): string | undefined {
  const held =
    swapHeldMs === undefined
      ? undefined
      : `what served stood still for ${swapHeldMs.toFixed(0)} ms`;
  const until = undoUntilMs === undefined ? undefined : `can be undone until ${iso(undoUntilMs)}`;
  return [held, until].filter((one) => one !== undefined).join("; ") || undefined;
}

const iso = (ms: number): string => new Date(ms).toISOString();
