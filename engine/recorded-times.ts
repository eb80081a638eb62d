import { InvariantViolation } from "./errors.ts";
import type { AppendOptions, AppendRequest } from "./ports/event-store.ts";

/** Only the holder of the store's hold tells when its events happened. */
export function assertTimesAreTheHolders(request: AppendRequest, { as }: AppendOptions): void {
  if (typeof as === "object") return;
  const timed = request.events.find((event) => event.recordedAtMs !== undefined);
  if (!timed) return;
  throw new InvariantViolation(
    `The event ${timed.id} tells its recorded time, and it is appended as ${as}: only the holder ` +
      "of the store's hold may tell times.",
  );
}
