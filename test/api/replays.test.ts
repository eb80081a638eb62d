import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { MemoryDeadlines } from "../../engine/memory/deadlines.ts";
import { MemoryEffectLedger } from "../../engine/memory/effect-ledger.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { MemoryIdempotencyKeys } from "../../engine/memory/idempotency-keys.ts";
import { realClock } from "./real-clock.ts";
import { replayConformance } from "./replays.ts";

replayConformance("in memory", async () => {
  const kept = {
    idempotencyKeys: new MemoryIdempotencyKeys({ clock: realClock }),
    effectLedger: new MemoryEffectLedger({ clock: realClock }),
    deadlines: new MemoryDeadlines(),
  };
  const eventStore = new MemoryEventStore({ clock: realClock, ...kept });
  return { eventStore, idempotencyKeys: kept.idempotencyKeys, codec: new JsonCodec() };
});
