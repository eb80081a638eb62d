import type { Pool } from "pg";

import { TransientError } from "../../engine/errors.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import { CommandFailure } from "../command-failure.ts";
import type { ImportPlan, PlannedModule } from "./oulad-plan.ts";

export interface OfferModulesOptions {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long the processor `catalogue` may take to offer them all. */
  readonly timeoutMs: number;
}

/**
 * Puts the modules into the catalogue with SQL, as anybody would, and waits until the processor
 * `catalogue` has offered them at the hold's clock.
 */
export async function offerModules(plan: ImportPlan, options: OfferModulesOptions): Promise<void> {
  await assertSameCapacities(options.pool, plan.modules);
  await options.pool.query(
    `insert into catalogue.modules (code, title, capacity, fee_cents, opens_at, closes_at)
     select code, title, capacity, 0, null, null
     from unnest($1::text[], $2::text[], $3::int[]) as m (code, title, capacity)
     on conflict (code) do nothing`,
    [
      plan.modules.map((module) => module.code),
      plan.modules.map((module) => module.title),
      plan.modules.map((module) => module.capacity),
    ],
  );
  await untilOffered(plan, options);
}

interface CatalogueRow {
  readonly code: string;
  readonly capacity: number;
  readonly fee_cents: number;
  readonly bounded: boolean;
}

/** A run that goes on must go on under the same rules. */
async function assertSameCapacities(pool: Pool, modules: readonly PlannedModule[]): Promise<void> {
  const { rows } = await pool.query<CatalogueRow>(
    `select code, capacity, fee_cents, opens_at is not null or closes_at is not null as bounded
     from catalogue.modules where code = any($1)`,
    [modules.map((module) => module.code)],
  );
  const planned = new Map(modules.map((module) => [module.code, module.capacity]));
  const different = rows.find(
    (row) => row.capacity !== planned.get(row.code) || row.fee_cents !== 0 || row.bounded,
  );
  if (!different) return;
  const { code, capacity } = different;
  throw new CommandFailure(
    "refused",
    `Module ${code} is in the catalogue already, with ${capacity} seats where the import has ` +
      `${planned.get(code)}, or with a fee or a window: run it with the capacity that it was begun ` +
      "with, or into a data folder of its own (--data).",
  );
}

async function untilOffered(plan: ImportPlan, options: OfferModulesOptions): Promise<void> {
  const { pool, clock, signal } = options;
  const codes = plan.modules.map((module) => module.code);
  const deadlineMs = clock.monotonicMs() + options.timeoutMs;
  for (;;) {
    const { rows } = await pool.query<{ key: string }>(
      `select distinct key from refold.events
       where topic = 'module-events' and ce_type like '%.ModuleOffered' and key = any($1)`,
      [codes],
    );
    if (rows.length === codes.length || signal.aborted) return;
    if (clock.monotonicMs() > deadlineMs) throw notOffered(codes, new Set(rows.map((r) => r.key)));
    await clock.sleep(20, signal);
  }
}

function notOffered(codes: readonly string[], offered: ReadonlySet<string>): TransientError {
  const missing = codes.filter((code) => !offered.has(code)).slice(0, 5);
  return new TransientError(
    "not-offered",
    `Of ${codes.length} modules ${offered.size} were offered in time (missing: ${missing.join(", ")}): ` +
      "look at refold status for the capture and the processor catalogue, then run the import again.",
  );
}
