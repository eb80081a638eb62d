import { parseFrom } from "../../api/rebuilds/from.ts";
import { rebuildRequest } from "../../api/rebuilds/request.ts";
import { FatalError } from "../../engine/errors.ts";
import type { EventStore } from "../../engine/ports/event-store.ts";
import type { RebuildRecord, RebuildRequest, Rebuilds } from "../../engine/ports/rebuilds.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { askedBy } from "../asked-by.ts";
import { CommandFailure } from "../command-failure.ts";
import { systemClock } from "../system-clock.ts";

/** @throws CommandFailure naming the projections there are. */
export function projectionNamed(all: readonly AnyProjection[], name: string): AnyProjection {
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  const known = all.map((one) => one.name).join(", ");
  throw new CommandFailure(
    "nothingThere",
    `There is no projection ${name}: there are ${known || "none"}.`,
  );
}

export interface RequestOptions {
  readonly from: string;
  readonly accept?: true;
  readonly reason?: string;
  readonly lagBudget?: number;
  readonly keep?: number;
}

/** @throws CommandFailure `usage` for a `--from` that can't be read. */
export async function requestOf(
  projection: AnyProjection,
  options: RequestOptions,
  eventStore: Pick<EventStore, "incarnation">,
): Promise<RebuildRequest> {
  const context = {
    nowMs: systemClock.nowMs(),
    incarnation: () => eventStore.incarnation(),
  };
  const from = await parseFrom(options.from, context).catch(asUsage);
  return rebuildRequest({
    projection: projection.name,
    version: projection.version,
    from,
    accept: options.accept,
    lagBudgetMs: options.lagBudget,
    keepMs: options.keep,
    by: askedBy("refold rebuild"),
    reason: options.reason,
  });
}

function asUsage(error: unknown): never {
  if (!(error instanceof FatalError) || error.code !== "from-invalid") throw error;
  throw new CommandFailure("usage", `--from: ${error.message}`, { cause: error });
}

/** @throws CommandFailure `nothingThere`. */
export async function rebuildNamed(
  rebuilds: Pick<Rebuilds, "find">,
  text: string,
): Promise<RebuildRecord> {
  if (!/^\d{1,18}$/.test(text)) {
    throw new CommandFailure("usage", `${text} is no rebuild's id: it is a whole number.`);
  }
  const record = await rebuilds.find(BigInt(text));
  if (record !== undefined) return record;
  throw new CommandFailure(
    "nothingThere",
    `There is no rebuild ${text} (see refold rebuild list).`,
  );
}
