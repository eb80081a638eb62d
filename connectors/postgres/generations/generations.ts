import type { Pool } from "pg";

import type { Columns } from "../../../engine/columns.ts";
import type {
  GenerationHold,
  GenerationInfo,
  GenerationRole,
  Generations,
  GenerationStart,
  HealAsk,
  HealOutcome,
  HeldPartition,
  Swap,
  SwapVerdict,
} from "../../../engine/ports/generations.ts";
import type { Generation, ReadModel } from "../../../engine/ports/read-model-store.ts";
import { runStatement } from "../transaction.ts";
import { createGenerationFrom } from "./create.ts";
import { answerHeal, askHeal, healOutcome, openHealAsks } from "./heals.ts";
import { closeHold, openHold, openHolds, standStill, stoodStill } from "./holds.ts";
import { removeSlice, retireGeneration } from "./removal.ts";
import { swapGenerations } from "./swap.ts";
import { ListenedTurns } from "./turns.ts";

type Named = Pick<Generation, "projection" | "generation">;

export interface PostgresGenerationsOptions {
  /** It belongs to the caller and must outlive what is asked here. */
  readonly pool: Pool;
  /**
   * How to connect for LISTEN, while turns are followed: a connection of its own, not through a
   * pooler. Left out: as the pool does.
   */
  readonly listenUrl?: string;
}

interface GenerationRow {
  readonly projection: string;
  readonly generation: number;
  readonly version: number;
  readonly role: GenerationRole;
  readonly columns: Columns;
  readonly created_at: Date;
  readonly rebuild: bigint | null;
  readonly kept_until: Date | null;
}

/** The generations of a database's read models. */
export class PostgresGenerations implements Generations {
  readonly #pool: Pool;
  readonly #turns: ListenedTurns;

  constructor(options: PostgresGenerationsOptions) {
    this.#pool = options.pool;
    this.#turns = new ListenedTurns(options);
  }

  async list(projection?: string): Promise<readonly GenerationInfo[]> {
    const rows = await runStatement<GenerationRow>(this.#pool, {
      doing: "Listing generations",
      stage: "preparing",
      name: "refold-generations",
      text: `select g.projection, g.generation, g.version, g.columns, g.created_at, g.rebuild,
          case when s.generation is null then g.role else 'serving' end as role, g.kept_until
        from refold.generations g left join refold.serving s
          on s.projection = g.projection and s.generation = g.generation
        where (s.generation is not null or g.role <> 'removed')
          and ($1::text is null or g.projection = $1)
        order by g.projection, g.generation`,
      values: [projection ?? null],
    });
    return rows.map(generationInfo);
  }

  create(model: ReadModel, start: GenerationStart, rebuild: bigint): Promise<Generation> {
    return createGenerationFrom(this.#pool, { model, start, rebuild });
  }

  swap(swap: Swap): Promise<SwapVerdict> {
    return swapGenerations(this.#pool, swap);
  }

  retire(of: Named): Promise<void> {
    return retireGeneration(this.#pool, of);
  }

  remove(of: Named, rowsMax: number): Promise<"more" | "gone"> {
    return removeSlice(this.#pool, of, rowsMax);
  }

  hold(of: Named, forMs: number): Promise<bigint> {
    return openHold(this.#pool, of, forMs);
  }

  release(hold: bigint): Promise<void> {
    return closeHold(this.#pool, hold);
  }

  holds(): Promise<readonly GenerationHold[]> {
    return openHolds(this.#pool);
  }

  stand(hold: bigint, partitions: readonly HeldPartition[]): Promise<void> {
    return standStill(this.#pool, hold, partitions);
  }

  standing(hold: bigint): Promise<readonly HeldPartition[]> {
    return stoodStill(this.#pool, hold);
  }

  askHeal(of: Omit<HealAsk, "id">): Promise<bigint> {
    return askHeal(this.#pool, of);
  }

  healAsks(limit: number): Promise<readonly HealAsk[]> {
    return openHealAsks(this.#pool, limit);
  }

  answerHeal(id: bigint, outcome: HealOutcome): Promise<void> {
    return answerHeal(this.#pool, id, outcome);
  }

  healOutcome(id: bigint): Promise<HealOutcome | undefined> {
    return healOutcome(this.#pool, id);
  }

  turns(signal: AbortSignal): AsyncIterable<void> {
    return this.#turns.follow(signal);
  }
}

function generationInfo(row: GenerationRow): GenerationInfo {
  const { projection, generation, version, role, columns } = row;
  return {
    projection,
    generation,
    version,
    serving: role === "serving",
    role,
    columns,
    createdAtMs: row.created_at.getTime(),
    rebuild: row.rebuild ?? undefined,
    keptUntilMs: row.kept_until?.getTime(),
  };
}
