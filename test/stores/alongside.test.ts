import { expect, test } from "vitest";

import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryDeadlines } from "../../engine/memory/deadlines.ts";
import { MemoryEffectLedger } from "../../engine/memory/effect-ledger.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { MemoryIdempotencyKeys } from "../../engine/memory/idempotency-keys.ts";
import { MemoryProcessorStore } from "../../engine/memory/processor-store.ts";
import { alongsideConformance } from "../conformance/alongside.ts";
import {
  effect,
  once,
  requestWith,
  setDeadline,
  type AlongsideSubject,
} from "../conformance/alongside-subject.ts";
import { deadlinesConformance } from "../conformance/deadlines.ts";
import { effectLedgerConformance } from "../conformance/effect-ledger.ts";
import { idempotencyKeysConformance } from "../conformance/idempotency-keys.ts";
import { command } from "../event-store/events.ts";

const subject = inMemory();
alongsideConformance("in memory", () => subject);
effectLedgerConformance("in memory", () => subject);
deadlinesConformance("in memory", () => subject);
idempotencyKeysConformance("in memory", () => subject);

test("an event store without the stores of what comes with a request says so, and appends nothing", async () => {
  const store = new MemoryEventStore({ clock: new ManualClock() });
  const brought = [
    { effects: [effect()] },
    { deadlines: [setDeadline("due", "a", 1)] },
    { once: [once("key")] },
  ];
  for (const alongside of brought) {
    await expect(store.append(requestWith(alongside), command)).rejects.toThrow(/without a store/);
  }
  expect(await store.safePosition()).toBe(0n);
});

function inMemory(): AlongsideSubject {
  const clock = new ManualClock();
  const kept = {
    effectLedger: new MemoryEffectLedger({ clock }),
    deadlines: new MemoryDeadlines(),
    idempotencyKeys: new MemoryIdempotencyKeys({ clock }),
  };
  const store = new MemoryEventStore({ clock, ...kept });
  return {
    ...kept,
    store,
    beside: store,
    hold: store.hold,
    processorStore: new MemoryProcessorStore({
      appendAll: (requests) => store.appendAll(requests),
    }),
    pass: async (ms) => clock.advance(ms),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
