import type { ClientBase } from "pg";

import { FatalError, TransientError } from "../../engine/errors.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { Heartbeat } from "./routing/stream-shape.ts";
import { captureError } from "./server/failures.ts";

export interface HeartbeatsOptions {
  readonly client: ClientBase;
  readonly clock: Clock;
  readonly heartbeat: Heartbeat;
  /** Writes the record of a beat. */
  readonly beat: (nowMs: number) => void;
}

/** Beats until the abort: a record each time, and then the statement that the settings name. */
export async function beatRegularly(options: HeartbeatsOptions, until: AbortSignal): Promise<void> {
  const { client, clock, heartbeat, beat } = options;
  for (;;) {
    await clock.sleep(heartbeat.intervalMs, until);
    if (until.aborted) return;
    beat(clock.nowMs());
    const { actionQuery } = heartbeat;
    if (actionQuery !== undefined) {
      await client.query(actionQuery).catch((error: unknown) => refuse(error, actionQuery));
    }
  }
}

function refuse(error: unknown, actionQuery: string): never {
  const failure = captureError(error, "The heartbeat's action query");
  if (failure instanceof TransientError) throw failure;
  throw new FatalError(
    "heartbeat-action",
    `The heartbeat's action query failed: ${String(error)} (${actionQuery}).`,
    "Correct heartbeat.action.query, or grant what it needs to the capture's role.",
  );
}
