import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { MemoryProcessorStore } from "../../engine/memory/processor-store.ts";
import { globalPosition, sequence } from "../../engine/position.ts";
import type {
  AppendRequest,
  AppendVerdict,
  ConditionItem,
  StoredEvent,
} from "../../engine/ports/event-store.ts";
import { processorStoreConformance } from "../conformance/processor-store.ts";

processorStoreConformance("in memory", async () => {
  const deadLetters = new MemoryDeadLetters();
  const events = new TaggedEvents();
  const store = new MemoryProcessorStore({
    deadLetters,
    appendAll: (requests) => events.appendAll(requests),
  });
  return {
    store,
    deadLetters,
    eventsTagged: async (tag) => events.tagged(tag).map(({ id }) => id),
    [Symbol.asyncDispose]: async () => undefined,
  };
});

/** Just enough of an event store: conditions over one tag. */
class TaggedEvents {
  #events: StoredEvent[] = [];

  tagged(tag: string): StoredEvent[] {
    return this.#events.filter(({ tags }) => tags.includes(tag));
  }

  appendAll(requests: readonly AppendRequest[]): AppendVerdict[] {
    const before = [...this.#events];
    const verdicts = requests.map((request) => this.#append(request));
    if (verdicts.some(({ outcome }) => outcome !== "appended")) this.#events = before;
    return verdicts;
  }

  #append(request: AppendRequest): AppendVerdict {
    const newer = request.condition.flatMap((item) => this.#newer(item));
    if (newer.length > 0) return { outcome: "conflict", newer, cut: false };
    const events = request.events.map((event) => {
      const number = this.#events.length + 1;
      const place = { position: globalPosition(number), sequence: sequence(number) };
      const value = Buffer.from(event.value);
      this.#events.push({ ...event, ...place, value, recordedAtMs: 0, incarnation: "store-1" });
      return { ...place, recordedAtMs: 0 };
    });
    return { outcome: "appended", events, duplicate: false, recordedAtMs: 0 };
  }

  #newer({ tags = [], after }: ConditionItem): StoredEvent[] {
    return tags.flatMap((tag) => this.tagged(tag)).filter(({ position }) => position > after);
  }
}
