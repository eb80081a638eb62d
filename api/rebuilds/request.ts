import type { RebuildRequest } from "../../engine/ports/rebuilds.ts";

/** What a rebuild is asked for with where nothing else is told. */
export const rebuildDefaults = { lagBudgetMs: 2_000, keepMs: 3_600_000 } as const;

/** Bounds of what may be told, in milliseconds. */
export const rebuildBounds = {
  lagBudgetMs: { least: 100, most: 3_600_000 },
  keepMs: { least: 0, most: 30 * 24 * 3_600_000 },
} as const;

/** The request with everything that was left out. */
export const rebuildRequest = (
  asked: Pick<RebuildRequest, "projection" | "version" | "from" | "by" | "reason"> & {
    readonly accept?: boolean | undefined;
    readonly lagBudgetMs?: number | undefined;
    readonly keepMs?: number | undefined;
  },
): RebuildRequest => ({
  projection: asked.projection,
  version: asked.version,
  from: asked.from,
  by: asked.by,
  reason: asked.reason,
  accept: asked.accept ?? false,
  lagBudgetMs: asked.lagBudgetMs ?? rebuildDefaults.lagBudgetMs,
  keepMs: asked.keepMs ?? rebuildDefaults.keepMs,
});
