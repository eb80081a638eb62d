import type { GenerationInfo, Generations } from "../../engine/ports/generations.ts";
import { CommandFailure } from "../command-failure.ts";

/** @throws CommandFailure `nothingThere` where the projection was never built. */
export async function servingGeneration(
  generations: Pick<Generations, "list">,
  projection: string,
): Promise<GenerationInfo> {
  const builds = await generations.list(projection);
  const serving = builds.find(({ role }) => role === "serving");
  if (serving !== undefined) return serving;
  throw neverBuilt(projection);
}

export const neverBuilt = (projection: string): CommandFailure =>
  new CommandFailure(
    "nothingThere",
    `${projection} was never built: refold start (or a worker) builds it first.`,
  );
