import type { ClientBase, Pool } from "pg";

import { offset } from "../../../engine/position.ts";
import type {
  SkippedOffsets,
  SkippedOffsetsSource,
} from "../../../engine/ports/skipped-offsets.ts";
import { logError } from "../record-log/index.ts";

interface SkippedRow {
  readonly topic_id: string;
  readonly topic: string;
  readonly partition: number;
  readonly from_offset: string;
  readonly to_offset: string;
}

/** The ranges of a log that is elsewhere, kept where the readers keep their positions. */
export class PostgresSkippedOffsets implements SkippedOffsetsSource {
  readonly #pool: Pick<Pool, "query">;

  constructor({ pool }: { readonly pool: Pick<Pool, "query"> }) {
    this.#pool = pool;
  }

  async ranges(): Promise<readonly SkippedOffsets[]> {
    try {
      const { rows } = await this.#pool.query<SkippedRow>(
        `select topic_id, topic, partition, from_offset::text, to_offset::text
         from refold.skipped_offsets`,
      );
      return rows.map(({ topic_id: topicId, topic, partition, from_offset, to_offset }) => {
        const [from, to] = [offset(BigInt(from_offset)), offset(BigInt(to_offset))];
        return { topicId, topic, partition, from, to };
      });
    } catch (error) {
      throw logError(error, "Asking for the offsets that are skipped");
    }
  }
}

/** Lets every reader skip a range from now on; in the caller's transaction, an empty one is none. */
export async function skipOffsets(
  client: ClientBase,
  { topicId, topic, partition, from, to }: SkippedOffsets,
  reason: string,
): Promise<void> {
  if (from >= to) return;
  await client.query(
    `insert into refold.skipped_offsets (topic_id, topic, partition, from_offset, to_offset, reason)
     values ($1, $2, $3, $4, $5, $6)`,
    [topicId, topic, partition, from, to, reason],
  );
}
