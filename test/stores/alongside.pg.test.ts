import { afterAll, beforeAll } from "vitest";

import { PostgresDeadlines } from "../../connectors/postgres/deadlines/index.ts";
import { PostgresEffectLedger } from "../../connectors/postgres/effect-ledger/index.ts";
import {
  PostgresEventStore,
  PostgresStoreHold,
} from "../../connectors/postgres/event-store/index.ts";
import { PostgresIdempotencyKeys } from "../../connectors/postgres/idempotency-keys/index.ts";
import { PostgresProcessorStore } from "../../connectors/postgres/processor-store/index.ts";
import { alongsideConformance } from "../conformance/alongside.ts";
import type { AlongsideSubject } from "../conformance/alongside-subject.ts";
import { deadlinesConformance } from "../conformance/deadlines.ts";
import { effectLedgerConformance } from "../conformance/effect-ledger.ts";
import { idempotencyKeysConformance } from "../conformance/idempotency-keys.ts";
import { storesDatabase } from "./postgres-stores.ts";

let subject: AlongsideSubject;
beforeAll(async () => {
  subject = await inPostgres();
});
afterAll(() => subject[Symbol.asyncDispose]());

alongsideConformance("in Postgres", () => subject);
effectLedgerConformance("in Postgres", () => subject);
deadlinesConformance("in Postgres", () => subject);
idempotencyKeysConformance("in Postgres", () => subject);

/** Time passes by making everything older. */
const pass = `
  with open as (update refold.open_effects set next_at = next_at - by, started_at = started_at - by
      from passing),
    effects as (update refold.effects set requested_at = requested_at - by from passing),
    keys as (update refold.idempotency_keys set kept_at = kept_at - by from passing)
  select 1`;

async function inPostgres(): Promise<AlongsideSubject> {
  const resources = new AsyncDisposableStack();
  const { pool } = resources.use(await storesDatabase({ connectionsMax: 12 }));
  const hold = resources.use(new PostgresStoreHold({ pool }));
  return {
    store: new PostgresEventStore({ pool }),
    beside: new PostgresEventStore({ pool }),
    hold,
    processorStore: new PostgresProcessorStore({ pool }),
    effectLedger: new PostgresEffectLedger({ pool }),
    deadlines: new PostgresDeadlines({ pool }),
    idempotencyKeys: new PostgresIdempotencyKeys({ pool }),
    pass: async (ms) => {
      await pool.query(
        pass.replace("with ", `with passing as (select ${ms} * interval '1 ms' as by), `),
      );
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
