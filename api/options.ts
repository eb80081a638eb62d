import {
  defaultHoldMs,
  defaultStudentModuleLimit,
  type RegisterOptions,
} from "../processors/seats/index.ts";

/** Bounds of one request. */
export interface RequestBounds {
  /** A larger request body is refused with 413. */
  readonly bodyBytesMax: number;
  /** Request line and headers together; more is refused with 431. */
  readonly headerBytesMax: number;
  /** A longer path and query is refused with 414. */
  readonly urlBytesMax: number;
  /** A longer query string is refused with 414. */
  readonly queryBytesMax: number;
  readonly pageSizeDefault: number;
  readonly pageSizeMax: number;
}

/** Bounds of sockets, and how long they may take for what they do. */
export interface ConnectionBounds {
  /** Requests of connections above this are refused with 503, and the connection is closed. */
  readonly connectionsMax: number;
  /** Connections above `connectionsMax` that may wait for their 503; the next is cut unheard. */
  readonly refusedConnectionsMax: number;
  /** Connections of one client address; requests of further ones are refused with 429. */
  readonly clientConnectionsMax: number;
  /** How long a request's headers may take to arrive; then 408. */
  readonly headersWithinMs: number;
  /** How long a whole request may take to arrive; then 408. */
  readonly requestWithinMs: number;
  /** Pause between two looks for requests that take too long to arrive. */
  readonly arrivalCheckMs: number;
  /** How long an answer may take to be made; then 503 `answer-timeout`. */
  readonly answerWithinMs: number;
  /** How long a connection stays open without a request. */
  readonly keepAliveMs: number;
  /** A socket on which nothing moves for so long is cut: a reader that takes nothing, say. */
  readonly silentMs: number;
}

/** What one client address may ask for: a bucket of tokens, one for each request. */
export interface ClientBounds {
  /** Tokens that come back each second. */
  readonly clientRequestsPerSecond: number;
  /** Tokens of a full bucket: requests that may come at once. */
  readonly clientRequestBurst: number;
  /** Addresses that are remembered; the one unheard of for longest is forgotten first. */
  readonly clientsMax: number;
}

/**
 * How many requests may be under way. There are three kinds, each with a limit of its own that
 * follows what the server can do: reads, commands that begin something, and commands that finish
 * what has begun. One above its limit is refused with 503 `overloaded`.
 */
export interface AdmissionBounds {
  /** How long requests may wait for their answer, on average, while there are too many. */
  readonly readWaitMs: number;
  readonly beginWaitMs: number;
  readonly finishWaitMs: number;
  /** The limits are never below, however long the requests wait. */
  readonly underWayMin: number;
  /** The limits of a server that has just started. */
  readonly underWayFirst: number;
  readonly underWayMax: number;
  /** The longest `Retry-After` of a refusal. */
  readonly awayMaxMs: number;
}

/** Bounds of update streams (server-sent events and WebSocket together). */
export interface StreamBounds {
  /** Pause between two signs of life. */
  readonly heartbeatMs: number;
  /** Streams that may be open at once. */
  readonly listenersMax: number;
  /** Streams of one client address that may be open at once. */
  readonly clientListenersMax: number;
  /** Modules that one stream may name. */
  readonly listenerModulesMax: number;
  /** Updates of one module that a stream is sent in a second; of more, only the newest. */
  readonly updatesPerSecondMax: number;
  /** Bytes that may wait for a slow reader before it is dropped. */
  readonly listenerBytesMax: number;
  /** Updates that a resumed stream may have missed; more than these are told by `reset`. */
  readonly replayMax: number;
  /** How many resumed streams may replay at once. */
  readonly replaysMax: number;
  /** How long a closing stream may take to hand over its last bytes. */
  readonly streamEndMs: number;
}

/** Bounds of queries that wait, of readiness, and of commands that may be repeated. */
export interface WaitBounds {
  /** How long a query with `Refold-Wait-For` waits for its read model. */
  readonly waitForMs: number;
  /** How many queries may wait at once; the next one is answered as behind. */
  readonly waitingMax: number;
  /** Pause between two looks at a read model's positions while queries wait for it. */
  readonly waitPollMs: number;
  /** A consumer older than this makes `/readyz` say no. */
  readonly readyWithinMs: number;
  /** Card payments that may wait at once for a payment that is about to be asked for. */
  readonly paymentWaitsMax: number;
  /** Commands with an `Idempotency-Key` that may be under way at once; then 503 `overloaded`. */
  readonly keyedCommandsMax: number;
}

/** Bounds of the API. Every one has a default. */
export interface ApiOptions
  extends
    Required<RegisterOptions>,
    RequestBounds,
    ConnectionBounds,
    ClientBounds,
    AdmissionBounds,
    StreamBounds,
    WaitBounds {}

/**
 * The bounds for one client address are those of a whole machine: on loopback every client has the
 * same one.
 */
export const defaultApiOptions: ApiOptions = {
  studentModuleLimit: defaultStudentModuleLimit,
  holdMs: defaultHoldMs,
  bodyBytesMax: 16_384,
  headerBytesMax: 16_384,
  urlBytesMax: 8_192,
  queryBytesMax: 4_096,
  pageSizeDefault: 50,
  pageSizeMax: 500,
  connectionsMax: 15_000,
  refusedConnectionsMax: 500,
  clientConnectionsMax: 12_000,
  headersWithinMs: 5_000,
  requestWithinMs: 10_000,
  arrivalCheckMs: 1_000,
  answerWithinMs: 15_000,
  keepAliveMs: 30_000,
  silentMs: 60_000,
  clientRequestsPerSecond: 5_000,
  clientRequestBurst: 30_000,
  clientsMax: 50_000,
  readWaitMs: 500,
  beginWaitMs: 1_000,
  finishWaitMs: 2_000,
  underWayMin: 500,
  underWayFirst: 1_000,
  underWayMax: 5_000,
  awayMaxMs: 5_000,
  heartbeatMs: 15_000,
  listenersMax: 5_000,
  clientListenersMax: 5_000,
  listenerModulesMax: 50,
  updatesPerSecondMax: 4,
  listenerBytesMax: 262_144,
  replayMax: 10_000,
  replaysMax: 32,
  streamEndMs: 2_000,
  waitForMs: 2_000,
  waitingMax: 10_000,
  waitPollMs: 5,
  readyWithinMs: 5_000,
  paymentWaitsMax: 1_000,
  keyedCommandsMax: 20_000,
};

type Bound = Exclude<keyof ApiOptions, "studentModuleLimit">;

/** Pairs of which the first must not be above the second. */
const notAbove: readonly (readonly [Bound, Bound])[] = [
  ["pageSizeDefault", "pageSizeMax"],
  // Otherwise a URL that is allowed would be refused as too long headers.
  ["urlBytesMax", "headerBytesMax"],
  ["headersWithinMs", "requestWithinMs"],
  ["waitForMs", "answerWithinMs"],
  // Otherwise a healthy stream on which nothing happens would be cut.
  ["heartbeatMs", "silentMs"],
  // Reads give way first, and what has begun last.
  ["readWaitMs", "beginWaitMs"],
  ["beginWaitMs", "finishWaitMs"],
  ["underWayMin", "underWayFirst"],
  ["underWayFirst", "underWayMax"],
];

/** A timer that is told to wait for longer fires at once. */
const timerMsMax = 2 ** 31 - 1;

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
    } else if (name.endsWith("Ms") && Number(value) > timerMsMax) {
      yield `${name} must be at most ${timerMsMax} ms, which is what a timer can wait`;
    }
  }
  for (const [low, high] of notAbove) {
    if (options[low] > options[high]) {
      yield `${low} (${options[low]}) is above ${high} (${options[high]})`;
    }
  }
}
