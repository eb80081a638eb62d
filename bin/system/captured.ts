import type { Pool } from "pg";

import { readSlots } from "../../connectors/debezium/index.ts";
import { FatalError } from "../../engine/errors.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { CaptureKind } from "../servers.ts";
import { debeziumSlots } from "./debezium.ts";
import type { Definitions } from "./definitions.ts";
import { slotsOf } from "./slots.ts";

export interface CapturedPart {
  readonly definitions: Pick<Definitions, "changeTopics" | "slotName">;
  readonly capture: CaptureKind;
  readonly pool: Pool;
  readonly clock: Clock;
  /** A capture that starts at the same time makes its slot meanwhile. */
  readonly timeoutMs: number;
}

const pollMs = 200;

/**
 * Waits until the replication slots are there that another process or server reads: what commits
 * before its slot exists may never be published.
 *
 * @throws FatalError `slot-missing`
 */
export async function untilCaptured(part: CapturedPart): Promise<void> {
  const { definitions, capture, pool, clock, timeoutMs } = part;
  const wanted = slotsOf({ capture }, definitions);
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  for (;;) {
    const found = await readSlots(pool, wanted);
    const missing = wanted.filter((slot) => !found.has(slot));
    if (missing.length === 0) return;
    if (clock.monotonicMs() >= deadlineMs) throw slotsMissing(missing, capture);
    await clock.sleep(pollMs);
  }
}

function slotsMissing(missing: readonly string[], capture: CaptureKind): FatalError {
  const remedy =
    capture === "debezium"
      ? "Run refold connectors apply first, or choose CAPTURE=embedded."
      : "Start refold capture (or refold start) first.";
  return new FatalError(
    "slot-missing",
    `There is no replication slot ${missing.join(" and no ")}: what is recorded now might never be ` +
      "published.",
    remedy,
  );
}

/**
 * Refuses to capture beside the other capture on one log: it would tell rows of a moment that the
 * other one's changes have passed already, and readers would go back to them.
 *
 * @throws FatalError `capture-other`
 */
export async function assertOnlyCapture(
  { definitions, pool }: Pick<CapturedPart, "definitions" | "pool">,
  wanted: CaptureKind,
): Promise<void> {
  const others = wanted === "embedded" ? debeziumSlots(definitions) : [definitions.slotName];
  const [found] = (await readSlots(pool, others)).keys();
  if (found === undefined) return;
  const who =
    wanted === "embedded" ? "Debezium's connectors capture" : "The embedded capture works";
  throw new FatalError(
    "capture-other",
    `${who} here, through replication slot ${found}.`,
    `Run refold capture take-over with CAPTURE=${wanted}: it goes on exactly where the other one is. If that ` +
      "one published into another log, drop its slot.",
  );
}
