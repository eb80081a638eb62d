import { secondsText } from "../rebuild/amounts.ts";
import { table } from "../table.ts";
import type { BuildsStatus, RebuildStatus } from "./builds-report.ts";

/** Builds beside what serves, open rebuilds and drift, where there are some. */
export function buildsLines({ generations, rebuilds, drift }: BuildsStatus): string[] {
  return [...generationLines(generations), ...rebuilds.map(rebuildLine), ...driftLines(drift)];
}

/** A projection with one build that serves has nothing to tell. */
function generationLines(generations: BuildsStatus["generations"]): string[] {
  const counts = new Map<string, number>();
  for (const { projection } of generations) {
    counts.set(projection, (counts.get(projection) ?? 0) + 1);
  }
  const shown = generations.filter(({ projection }) => (counts.get(projection) ?? 0) > 1);
  if (shown.length === 0) return [];
  const cells = shown.map((one) => [
    one.projection,
    String(one.generation),
    String(one.version),
    one.role,
    one.createdAt,
    one.keptUntil ?? "-",
  ]);
  const headings = ["projection", "generation", "version", "role", "made", "kept until"];
  return ["", table(headings, cells)];
}

function rebuildLine(rebuild: RebuildStatus): string {
  const { id, projection, state, wish, conductor, done, total, secondsLeft, waiting } = rebuild;
  const paused = wish === "pause" ? ", paused" : "";
  const far = done === null || total === null ? "" : `, ${done} of ${total} events`;
  const left = secondsLeft === null ? "" : `, ${secondsText(secondsLeft)} left`;
  const by = conductor === null ? ", nobody conducts it" : `, conducted by ${conductor}`;
  const why = waiting === null ? "" : `: ${waiting}`;
  return `rebuild ${id} of ${projection} ${state}${paused}${far}${left}${by}${why}`;
}

const keysTold = 10;

function driftLines(drift: BuildsStatus["drift"]): string[] {
  const byProjection = new Map<string, string[]>();
  for (const { projection, key, kind } of drift) {
    byProjection.set(projection, [...(byProjection.get(projection) ?? []), `${key} (${kind})`]);
  }
  return [...byProjection].map(([projection, keys]) => {
    const more = keys.length > keysTold ? `, and ${keys.length - keysTold} more` : "";
    const told = keys.slice(0, keysTold).join(", ");
    return `${projection}: rows that aren't what the log gives: ${told}${more}; see refold heal`;
  });
}
