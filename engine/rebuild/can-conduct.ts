import type { RebuildRecord } from "../ports/rebuilds.ts";
import type { AnyProjection } from "../projection.ts";
import { isOpenRebuild } from "../rebuild-states.ts";

/**
 * Does this definition do for conducting a rebuild? What fills a shadow must have its version. An undo
 * folds nothing where the kept generation is worked on: then any version does, such as the one
 * before, to which a deployment was rolled back.
 */
export function canConduct(
  { name, version }: Pick<AnyProjection, "name" | "version">,
  record: Pick<RebuildRecord, "request" | "state">,
): boolean {
  const { projection, version: wanted } = record.request;
  return name === projection && (version === wanted || !isOpenRebuild(record));
}
