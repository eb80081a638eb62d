import { TransientError } from "../../engine/errors.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { ConnectClient } from "./connect-client.ts";

export interface ConnectorWait {
  readonly connect: Pick<ConnectClient, "status" | "stop" | "resume">;
  readonly clock: Clock;
  /** How long a connector may take to come to the state that is wanted. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const pollMs = 200;

/** Ends a connector's tasks; when this returns, all that they sent is in Kafka, or never comes. */
export async function stopConnector(wait: ConnectorWait, name: string): Promise<void> {
  const { connect } = wait;
  await connect.stop(name);
  await until(wait, `Connector ${name} doesn't stop`, async () => {
    const status = await connect.status(name);
    return status?.state === "STOPPED" && status.tasks.length === 0;
  });
}

/**
 * Does something while a connector publishes nothing, and lets it go on afterwards, also after a
 * failure. One that isn't there, or that somebody stopped or paused before, stays as it is.
 *
 * @throws TransientError `connector-slow`, `connect-away`; FatalError `connect-refused`.
 */
export async function whileStopped<Done>(
  wait: ConnectorWait,
  name: string,
  work: () => Promise<Done>,
): Promise<Done> {
  const state = (await wait.connect.status(name))?.state;
  if (state === undefined || state === "STOPPED" || state === "PAUSED") return work();
  try {
    await stopConnector(wait, name);
    return await work();
  } finally {
    await resumeConnector(wait, name);
  }
}

/** The workers may be rebalancing after the stop, and refuse calls meanwhile. */
async function resumeConnector(wait: ConnectorWait, name: string): Promise<void> {
  await until(wait, `Connector ${name} doesn't resume`, async () => {
    try {
      await wait.connect.resume(name);
      return true;
    } catch (error) {
      if (error instanceof TransientError) return false;
      throw error;
    }
  });
}

/** @throws TransientError `connector-slow` when it isn't so in time. */
export async function until(
  { clock, timeoutMs, signal }: ConnectorWait,
  otherwise: string,
  isSo: () => Promise<boolean>,
): Promise<void> {
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  while (!(await isSo())) {
    signal.throwIfAborted();
    if (clock.monotonicMs() >= deadlineMs) {
      throw new TransientError(
        "connector-slow",
        `${otherwise}, after waiting ${timeoutMs} ms for it. See the Connect worker's log.`,
      );
    }
    await clock.sleep(pollMs, signal);
  }
}
