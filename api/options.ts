import { defaultStudentModuleLimit, type RegisterOptions } from "../processors/seats/index.ts";

/** Bounds of the API. Every one has a default. */
export interface ApiOptions extends RegisterOptions {
  /** A larger request body is refused with 413. */
  readonly bodyBytesMax: number;
  readonly pageSizeDefault: number;
  readonly pageSizeMax: number;
  /** How long a query with `Refold-Wait-For` waits for its read model. */
  readonly waitForMs: number;
  /** How many queries may wait at once; the next one is answered as behind. */
  readonly waitingMax: number;
  /** Pause between two looks at a read model's positions while queries wait for it. */
  readonly waitPollMs: number;
  /** A consumer older than this makes `/readyz` say no. */
  readonly readyWithinMs: number;
  /** Pause between two signs of life on an update stream. */
  readonly heartbeatMs: number;
  /** Update streams (SSE and WebSocket together) that may be open at once. */
  readonly listenersMax: number;
  /** Bytes that may wait for a slow reader of an update stream before it is dropped. */
  readonly listenerBytesMax: number;
  /** Updates that a resumed stream may have missed; more than these are told by `reset`. */
  readonly replayMax: number;
  /** How many resumed streams may replay at once. */
  readonly replaysMax: number;
  /** How long a closing stream may take to hand over its last bytes. */
  readonly streamEndMs: number;
}

export const defaultApiOptions: ApiOptions = {
  studentModuleLimit: defaultStudentModuleLimit,
  bodyBytesMax: 16_384,
  pageSizeDefault: 50,
  pageSizeMax: 500,
  waitForMs: 2_000,
  waitingMax: 10_000,
  waitPollMs: 5,
  readyWithinMs: 5_000,
  heartbeatMs: 15_000,
  listenersMax: 5_000,
  listenerBytesMax: 262_144,
  replayMax: 10_000,
  replaysMax: 32,
  streamEndMs: 2_000,
};

/** @throws RangeError naming every option that can't be used. */
export function apiOptions(given: Partial<ApiOptions> = {}): ApiOptions {
  const options = { ...defaultApiOptions, ...given };
  const faults = [...optionFaults(options)];
  if (faults.length > 0) throw new RangeError(`Options of the API: ${faults.join("; ")}.`);
  return options;
}

function* optionFaults(options: ApiOptions): Generator<string> {
  for (const [name, value] of Object.entries(options)) {
    if (value === "unlimited") continue;
    if (!Number.isSafeInteger(value) || Number(value) < 1) {
      yield `${name} must be a positive integer, not ${String(value)}`;
    }
  }
  if (options.pageSizeDefault > options.pageSizeMax) {
    yield `pageSizeDefault (${options.pageSizeDefault}) is above pageSizeMax (${options.pageSizeMax})`;
  }
}
