import { framingRegistry } from "../../connectors/postgres/event-store/index.ts";
import { CommandFailure } from "../command-failure.ts";
import type { Stores } from "./stores.ts";

/** Schema ids belong to a registry: events framed by another one can't be read by ours. */
export async function checkFramingRegistry({
  pool,
  registry,
}: Pick<Stores, "pool" | "registry">): Promise<void> {
  const ours = await registry.identity();
  const theirs = await framingRegistry(pool, ours);
  if (ours === theirs) return;
  throw new CommandFailure(
    "versionMismatch",
    `The store's events were framed with the schema registry ${theirs}, and this one is ${ours}: ` +
      "use the registry that belongs to the store.",
  );
}
