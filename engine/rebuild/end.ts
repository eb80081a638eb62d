import type { RebuildChange, RebuildFailure, RebuildRecord } from "../ports/rebuilds.ts";
import { isOpenRebuild } from "../rebuild-states.ts";
import type { RebuildProbe } from "./crash-points.ts";
import { noRebuildProbe } from "./crash-points.ts";
import type { RebuildEnvironment } from "./options.ts";

export interface Ending {
  readonly state: "abandoned" | "failed";
  readonly failure?: RebuildFailure;
}

/**
 * Ends a rebuild without a swap; what serves is left as it is. The record comes first: a shadow that
 * is left over is found and removed.
 */
export async function endRebuild(
  environment: Pick<RebuildEnvironment, "generations" | "probe">,
  record: RebuildRecord,
  how: { readonly ending: Ending; readonly note: (change: RebuildChange) => Promise<unknown> },
): Promise<void> {
  const probe: RebuildProbe = environment.probe ?? noRebuildProbe;
  const { projection } = record.request;
  await how.note(how.ending);
  probe.at("end-noted");
  const builds = await environment.generations.list(projection);
  const left = builds.filter(({ role, rebuild }) => role === "building" && rebuild === record.id);
  for (const { generation } of left) {
    await environment.generations.retire({ projection, generation });
    probe.at("shadow-retired");
  }
}

/** Abandons a rebuild that nobody conducts: no code of its version is needed for it. */
export async function abandonUnled(
  environment: Pick<RebuildEnvironment, "generations" | "rebuilds" | "instance" | "probe">,
  { id }: Pick<RebuildRecord, "id">,
  leaseMs: number,
): Promise<void> {
  const { rebuilds, generations, instance } = environment;
  const record = await rebuilds.lead(id, instance, leaseMs);
  if (record === undefined) return;
  const note = (change: RebuildChange) => rebuilds.change(id, instance, change);
  const builds = await generations.list(record.request.projection);
  const shadow = builds.find(({ generation }) => generation === record.shadow);
  if (isOpenRebuild(record) && record.wish === "abandon") {
    // The pointer has moved to it, and nobody could write it down: what is wished comes too late.
    if (shadow?.role === "serving") await note({ state: "swapped" });
    else await endRebuild(environment, record, { ending: { state: "abandoned" }, note });
  }
  await rebuilds.leave(id, instance);
}
