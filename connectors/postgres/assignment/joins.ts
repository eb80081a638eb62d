import type { Pool } from "pg";

import { Gathering } from "../../../engine/gathering.ts";
import { leaseRounds, type LeaseRound, type RoundResult } from "./lease-round.ts";

/** First rounds that one transaction takes. */
const roundsMax = 100;

interface Join {
  readonly round: LeaseRound;
  result: RoundResult | undefined;
}

/** Takes first rounds together: a process joins all its consumers' groups at once when it starts. */
export class Joins {
  readonly #pool: Pool;
  readonly #joins: Gathering<Join>;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
    this.#joins = new Gathering({ write: (joins) => this.#take(joins), batchMax: roundsMax });
  }

  /** @throws what the transaction fails with, for all who join in it. */
  async take(round: LeaseRound): Promise<RoundResult> {
    const join: Join = { round, result: undefined };
    await this.#joins.add(join);
    return join.result as RoundResult;
  }

  /** Of two members of one consumer the second sees what the first has taken. */
  async #take(joins: readonly Join[]): Promise<void> {
    const first = new Map(joins.toReversed().map((join) => [join.round.consumer, join]));
    const now = [...first.values()];
    const results = await leaseRounds(
      this.#pool,
      now.map(({ round }) => round),
    );
    for (const [at, join] of now.entries()) join.result = results[at];
    const later = joins.filter((join) => first.get(join.round.consumer) !== join);
    if (later.length > 0) await this.#take(later);
  }
}
