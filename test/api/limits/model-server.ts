import {
  type ConcurrencyBounds,
  learnt,
  type Pace,
  paceAt,
} from "../../../api/limits/concurrency-limit.ts";
import { SeededRandom } from "../../../engine/memory/clock.ts";

/** Requests of one kind that come to a model server. */
export interface Arrivals {
  readonly bounds: ConcurrencyBounds;
  /** Requests a second, of a Poisson process, at a time. */
  readonly perSecond: (atMs: number) => number;
}

/**
 * A server that answers in rounds, as commands are decided: all that wait when a round begins are
 * answered at its end.
 */
export interface ModelServer {
  /** What a round takes, however few it answers. */
  readonly roundMs: number;
  /** What each request of a round adds, at a time. */
  readonly requestMs: (atMs: number) => number;
  /** Rounds take up to this part more or less than they should. */
  readonly noise: number;
  readonly durationMs: number;
  readonly seed: number;
}

/** What became of the requests of one kind. */
export interface Outcome {
  readonly answered: { readonly atMs: number; readonly waitMs: number }[];
  readonly refusedAtMs: number[];
  /** The limit after each round. */
  readonly limits: { readonly atMs: number; readonly limit: number }[];
}

interface Kind extends Arrivals, Outcome {
  pace: Pace;
  underWay: number;
  nextMs: number;
}

interface Asked {
  readonly kind: Kind;
  readonly atMs: number;
  readonly underWay: number;
}

/** Runs arrivals against a model server in model time, each kind under a limit of its own. */
export function served(server: ModelServer, arrivals: readonly Arrivals[]): readonly Outcome[] {
  const random = new SeededRandom(server.seed);
  const gapMs = (kind: Arrivals, atMs: number): number =>
    (-Math.log(1 - random.next()) * 1_000) / kind.perSecond(atMs);
  const kinds: Kind[] = arrivals.map((given) => ({
    ...given,
    answered: [],
    refusedAtMs: [],
    limits: [],
    pace: paceAt(100),
    underWay: 0,
    nextMs: gapMs(given, 0),
  }));
  let waiting: Asked[] = [];
  const arriveUntil = (endMs: number): void => {
    for (;;) {
      const kind = kinds.reduce((one, other) => (other.nextMs < one.nextMs ? other : one));
      if (kind.nextMs > endMs) return;
      const atMs = kind.nextMs;
      kind.nextMs += gapMs(kind, atMs);
      if (kind.underWay >= Math.floor(kind.pace.limit)) kind.refusedAtMs.push(atMs);
      else waiting.push({ kind, atMs, underWay: (kind.underWay += 1) });
    }
  };
  for (let nowMs = 0; nowMs < server.durationMs;) {
    if (waiting.length === 0) nowMs = Math.max(nowMs, Math.min(...kinds.map((k) => k.nextMs)));
    arriveUntil(nowMs);
    const round = waiting;
    waiting = [];
    const noise = 1 + server.noise * (2 * random.next() - 1);
    const endMs = nowMs + (server.roundMs + server.requestMs(nowMs) * round.length) * noise;
    arriveUntil(endMs);
    for (const asked of round) answer(asked, endMs);
    for (const kind of kinds) kind.limits.push({ atMs: endMs, limit: kind.pace.limit });
    nowMs = endMs;
  }
  return kinds;
}

function answer({ kind, atMs, ...asked }: Asked, nowMs: number): void {
  const waitMs = nowMs - atMs;
  const underWay = Math.max(asked.underWay, kind.underWay);
  kind.underWay -= 1;
  kind.answered.push({ atMs: nowMs, waitMs });
  kind.pace = learnt(kind.pace, { underWay, waitMs }, kind.bounds);
}
