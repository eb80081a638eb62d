import { InvariantViolation } from "../errors.ts";
import type { Alongside, KeptOnce } from "../ports/alongside.ts";
import type { Appended, AppendRequest } from "../ports/event-store.ts";
import type { MemoryDeadlines } from "./deadlines.ts";
import type { MemoryEffectLedger } from "./effect-ledger.ts";
import type { MemoryIdempotencyKeys, Recorded } from "./idempotency-keys.ts";

/** Where appends keep what comes with them; a request that needs one which isn't there is refused. */
export interface AlongsideStores {
  readonly effectLedger?: MemoryEffectLedger;
  readonly deadlines?: MemoryDeadlines;
  readonly idempotencyKeys?: MemoryIdempotencyKeys;
}

/** Keeps what comes with appends, in the appends' own steps. */
export class KeptAlongside {
  readonly #stores: AlongsideStores;

  constructor(stores: AlongsideStores) {
    this.#stores = stores;
  }

  /** Keys of the request that were used before. */
  repeated({ once = [] }: Alongside): readonly KeptOnce[] {
    return once.length === 0 ? [] : given(this.#stores.idempotencyKeys, "keys").repeated(once);
  }

  /**
   * @returns the verdict, with the effects that have begun.
   * @throws InvariantViolation, before anything is written, when a store isn't there.
   */
  write(request: AppendRequest, appended: Appended): Appended {
    const { once = [], effects = [], settled = [], deadlines = [] } = request.alongside ?? {};
    const needsLedger = effects.length + settled.length > 0;
    const ledger = needsLedger ? given(this.#stores.effectLedger, "effects") : undefined;
    // A duplicate set its deadlines when it was recorded; they may be over since then.
    const changes = appended.duplicate ? [] : deadlines;
    const desk = changes.length > 0 ? given(this.#stores.deadlines, "deadlines") : undefined;
    if (once.length > 0) {
      given(this.#stores.idempotencyKeys, "keys").keep(once, recordedOf(request, appended));
    }
    const begun = ledger?.request(effects) ?? [];
    ledger?.settle(settled);
    desk?.change(changes);
    return begun.length === 0 ? appended : { ...appended, begun };
  }

  /** @returns what puts everything back as it is now. */
  checkpoint(): () => void {
    const { effectLedger, deadlines, idempotencyKeys } = this.#stores;
    const back = [effectLedger, deadlines, idempotencyKeys].map((store) => store?.checkpoint());
    return () => {
      for (const restore of back) restore?.();
    };
  }
}

/** Of a duplicate too: what was recorded before is in the verdict like the rest. */
const recordedOf = ({ events }: AppendRequest, appended: Appended): Recorded =>
  new Map(appended.events.map((at, index) => [events[index]?.id ?? "", at]));

function given<Store>(store: Store | undefined, what: string): Store {
  if (store !== undefined) return store;
  throw new InvariantViolation(
    `A request brings ${what} with it, and this event store was made without a store of them: ` +
      "give it effectLedger, deadlines and idempotencyKeys.",
  );
}
