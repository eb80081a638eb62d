import { type PastWorld, projections } from "./past-world.ts";

/** Takes a snapshot of every projection at the log's end, and marks it as audited. */
export async function snapshotNow(world: PastWorld): Promise<void> {
  await world.publish();
  for (const projection of projections) {
    const generation = await world.follow(projection);
    const { id } = await world.snapshots.take(generation);
    await world.snapshots.audited(id, "beginning");
  }
}
