import type { Generation } from "../../engine/ports/read-model-store.ts";

/** All of a partition's keys have one hash tag, so that a script may touch them all. */
export const partitionKey = (
  { projection, generation }: Pick<Generation, "projection" | "generation">,
  partition: number,
): string => `refold:{${projection}:g${generation}:p${partition}}`;

export const rowKey = (partition: string, key: string): string => `${partition}:${key}`;

/** No row has this name: rows' begin with a colon. */
export const indexKey = (partition: string): string => `${partition}/keys`;
