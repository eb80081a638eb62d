import type { Pool } from "pg";

import type {
  Disposition,
  EditVerdict,
  LetterAct,
  LetterEdit,
} from "../../../engine/ports/dead-letters.ts";
import { commit, inTransaction, rollback, runStatement } from "../transaction.ts";
import { writable } from "./insert-dead-letters.ts";

/** See `DeadLetters.edit`. */
export function editLetter(
  pool: Pool,
  id: bigint,
  edit: Omit<LetterEdit, "at">,
): Promise<EditVerdict> {
  return inTransaction(pool, "Editing a dead letter", async (client) => {
    const { rows } = await client.query<{ disposition: Disposition; asked: string | null }>(
      "select disposition, asked from refold.dead_letters where id = $1 for update",
      [id],
    );
    const verdict = verdictOn(rows[0]);
    if (verdict !== "edited") return rollback(verdict);
    const { value, by, reason } = edit;
    const why = reason === undefined ? null : writable(reason);
    const values = [id, Buffer.from(value), writable(by), why];
    await client.query(
      `update refold.dead_letters set edited_value = $2, edited_by = $3, edited_reason = $4,
         edited_at = now() where id = $1`,
      values,
    );
    await client.query(
      `insert into refold.letter_acts (letter, act, value, by, reason)
       values ($1, 'edit', $2, $3, $4)`,
      values,
    );
    return commit(verdict);
  });
}

/** The owner of the partition redrives what is asked for, with the value that it has read before. */
function verdictOn(
  letter: { readonly disposition: Disposition; readonly asked: string | null } | undefined,
): EditVerdict {
  if (letter === undefined) return "unknown";
  if (letter.disposition === "waiting") return "waiting";
  if (letter.disposition !== "failed") return "settled";
  return letter.asked === null ? "edited" : "asked";
}

interface ActRow {
  readonly at: Date;
  readonly act: LetterAct["act"];
  readonly by: string;
  readonly reason: string | null;
  readonly order_id: bigint | null;
  readonly value: Buffer | null;
}

/** See `DeadLetters.acts`. */
export async function actsOn(pool: Pool, id: bigint, limit: number): Promise<readonly LetterAct[]> {
  const rows = await runStatement<ActRow>(pool, {
    doing: "Reading what was done to a dead letter",
    stage: "preparing",
    text: `select at, act, by, reason, order_id, value from refold.letter_acts
      where letter = $1 order by id limit $2`,
    values: [id, limit],
  });
  return rows.map(({ at, act, by, reason, order_id: order, value }) => ({
    at,
    act,
    by,
    reason: reason ?? undefined,
    order: order ?? undefined,
    value: value ?? undefined,
  }));
}
