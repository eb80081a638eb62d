import type { AnyRow } from "../../engine/columns.ts";
import { FatalError, TransientError } from "../../engine/errors.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type {
  Answer,
  CountRows,
  FindRows,
  Page,
  ReadModelReader,
  ReadPosition,
} from "../../engine/ports/read-model-reader.ts";
import { reaches, type RedisStanding } from "./standing.ts";

export interface PreferringReaderOptions {
  readonly redis: ReadModelReader;
  /** The store that commits first: it has all that Redis has. */
  readonly primary: ReadModelReader;
  readonly standing: Pick<RedisStanding, "has" | "lagMs">;
  readonly metrics: Metrics;
  /** Redis may be so far behind and still answer (default 1,000). */
  readonly behindMaxMs?: number;
}

/** Redis may be so far behind, in milliseconds, and still answer. */
export const behindMaxMsDefault = 1_000;

/** Failures of Redis after which the primary is asked. */
const redisFaults = new Set(["redis-refused", "generation-unknown", "no-generation"]);

/**
 * Asks Redis first, and the store that commits first where Redis is cold, too far behind, or can't
 * be reached. What one reader tells never goes back: an answer from Redis that is behind what was
 * told before from the other isn't used. So a query that has waited for a position finds it.
 */
export class PreferringReader implements ReadModelReader {
  readonly #options: PreferringReaderOptions;
  /** The furthest positions told from the primary, by projection and place. */
  readonly #told = new Map<string, Map<string, ReadPosition>>();

  constructor(options: PreferringReaderOptions) {
    this.#options = options;
  }

  get(projection: string, key: string): Promise<Answer<AnyRow | undefined>> {
    return this.#prefer(projection, (reader) => reader.get(projection, key));
  }

  find(projection: string, query: FindRows): Promise<Answer<Page>> {
    return this.#prefer(projection, (reader) => reader.find(projection, query));
  }

  count(projection: string, query: CountRows): Promise<Answer<number>> {
    return this.#prefer(projection, (reader) => reader.count(projection, query));
  }

  async positions(projection: string): Promise<readonly ReadPosition[]> {
    const { positions } = await this.#prefer(projection, async (reader) => ({
      positions: await reader.positions(projection),
    }));
    return positions;
  }

  /** How far the next answer may be behind the primary. */
  lagMs(projection: string): number {
    return this.#mayAsk(projection) ? this.#options.standing.lagMs(projection) : 0;
  }

  async #prefer<Told extends { readonly positions: readonly ReadPosition[] }>(
    projection: string,
    ask: (reader: ReadModelReader) => Promise<Told>,
  ): Promise<Told> {
    const { redis, primary, standing, metrics } = this.#options;
    const told = this.#mayAsk(projection) ? await unlessFault(() => ask(redis)) : undefined;
    if (told && this.#isAhead(projection, told.positions)) {
      metrics.count("redis_answers_total", 1, { consumer: projection });
      return told;
    }
    const answer = await ask(primary);
    if (standing.has(projection)) {
      metrics.count("redis_fallbacks_total", 1, { consumer: projection });
      this.#remember(projection, answer.positions);
    }
    return answer;
  }

  #mayAsk(projection: string): boolean {
    const { standing, behindMaxMs = behindMaxMsDefault } = this.#options;
    return standing.has(projection) && standing.lagMs(projection) <= behindMaxMs;
  }

  #isAhead(projection: string, positions: readonly ReadPosition[]): boolean {
    const told = this.#told.get(projection);
    return told === undefined || reaches(positions, [...told.values()]);
  }

  #remember(projection: string, positions: readonly ReadPosition[]): void {
    let told = this.#told.get(projection);
    if (told === undefined) this.#told.set(projection, (told = new Map()));
    for (const at of positions) {
      const place = `${at.topic} ${at.partition}`;
      const before = told.get(place)?.position;
      const isEarlier =
        before?.logId === at.position.logId && before.nextOffset > at.position.nextOffset;
      if (!isEarlier) told.set(place, at);
    }
  }
}

async function unlessFault<Told>(ask: () => Promise<Told>): Promise<Told | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof TransientError) return undefined;
    if (error instanceof FatalError && redisFaults.has(error.code)) return undefined;
    throw error;
  }
}
