import type { Pool } from "pg";

import { CommandFailure } from "../command-failure.ts";
import { systemClock } from "../system-clock.ts";
import type { OfferedModule } from "./crowd/campus.ts";

const offeredWithinMs = 30_000;

/** Puts the modules into the catalogue with SQL, as anybody may, and waits until they are on offer. */
export async function offer(
  pool: Pick<Pool, "query">,
  modules: readonly OfferedModule[],
  signal: AbortSignal,
): Promise<void> {
  await pool.query(
    `insert into catalogue.modules (code, title, capacity, fee_cents)
     select * from unnest($1::text[], $2::text[], $3::integer[], $4::integer[])`,
    [
      modules.map(({ code }) => code),
      modules.map(({ title }) => title),
      modules.map(({ capacity }) => capacity),
      modules.map(({ feeCents }) => feeCents),
    ],
  );
  const endsMs = systemClock.monotonicMs() + offeredWithinMs;
  while (!signal.aborted) {
    const { rows } = await pool.query<{ n: number }>(
      'select count(*)::integer as n from read."seat-availability" where module_code = any ($1)',
      [modules.map(({ code }) => code)],
    );
    if (rows[0]?.n === modules.length) return;
    if (systemClock.monotonicMs() > endsMs) {
      throw new CommandFailure(
        "failed",
        `Of ${modules.length} modules ${rows[0]?.n ?? 0} were on offer after ` +
          `${offeredWithinMs / 1_000} s: the capture doesn't bring changes of the catalogue.`,
      );
    }
    await systemClock.sleep(50, signal);
  }
}
