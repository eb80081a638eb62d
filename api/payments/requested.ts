import type { ApiContext } from "../context.ts";

/** Between the first two looks; each later pause is twice as long. */
const firstPauseMs = 10;

/**
 * Resolves when the payment is known to the event store, or when the time for waiting is up: who
 * holds a seat has the payment's id at once, and its payment is asked for a moment later. Beyond
 * `paymentWaitsMax` of such waits at once nobody waits.
 */
export async function untilRequested(
  { deps, options, paymentWaits }: ApiContext,
  paymentId: string,
): Promise<void> {
  if (paymentWaits.open >= options.paymentWaitsMax) return;
  const { clock, eventStore } = deps;
  const deadlineMs = clock.monotonicMs() + options.waitForMs;
  paymentWaits.open += 1;
  try {
    for (let pauseMs = firstPauseMs; ; pauseMs *= 2) {
      if (await isRequested(eventStore, paymentId)) return;
      const leftMs = deadlineMs - clock.monotonicMs();
      if (leftMs <= 0) return;
      await clock.sleep(Math.min(pauseMs, leftMs));
    }
  } finally {
    paymentWaits.open -= 1;
  }
}

async function isRequested(
  eventStore: ApiContext["deps"]["eventStore"],
  paymentId: string,
): Promise<boolean> {
  const first = { items: [{ tags: [`payment:${paymentId}`] }], limit: 1 };
  for await (const events of eventStore.read(first)) if (events.length > 0) return true;
  return false;
}
