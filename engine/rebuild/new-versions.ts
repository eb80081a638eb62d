import type { RebuildRequest } from "../ports/rebuilds.ts";
import type { AnyProjection } from "../projection.ts";
import { isOpenRebuild } from "../rebuild-states.ts";
import type { RebuildStores } from "./options.ts";

export interface NewVersionsOptions extends Pick<RebuildStores, "rebuilds" | "generations"> {
  readonly projections: readonly AnyProjection[];
  readonly lagBudgetMs: number;
  readonly keepMs: number;
}

/** Who starts rebuilds of new versions, as their records tell it. */
export const startedByVersion = "new-version";

const lookedAt = 100;

/**
 * Starts a rebuild of each projection of which this process has a higher version than what serves.
 * Once for each version: one that has ended otherwise than swapped in is left to an operator.
 */
export async function startNewVersions(options: NewVersionsOptions): Promise<void> {
  const { projections, generations, rebuilds } = options;
  const serving = (await generations.list()).filter(({ role }) => role === "serving");
  for (const projection of projections) {
    const { name, version } = projection;
    const live = serving.find((one) => one.projection === name);
    if (live === undefined || live.version >= version) continue;
    const before = await rebuilds.list({ projection: name, limit: lookedAt });
    if (before.some(({ request }) => request.version === version)) continue;
    const open = before.find(isOpenRebuild);
    if (open === undefined) await rebuilds.start(requestOf(projection, live.version, options));
    else if (isOutdated(open.request, version)) await rebuilds.wish(open.id, "abandon");
  }
}

/** Of an older version, and nobody's but a program's: what it builds would be replaced at once. */
const isOutdated = ({ by, version }: RebuildRequest, ours: number): boolean =>
  by === startedByVersion && version < ours;

function requestOf(
  { name, version }: AnyProjection,
  serving: number,
  { lagBudgetMs, keepMs }: NewVersionsOptions,
): RebuildRequest {
  return {
    projection: name,
    version,
    from: { kind: "earliest" },
    accept: true,
    lagBudgetMs,
    keepMs,
    by: startedByVersion,
    reason: `Version ${version} of the code has come, and version ${serving} serves.`,
  };
}
