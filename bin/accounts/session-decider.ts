import { Decider } from "../../engine/decision/decider.ts";
import type { CommandCall } from "../../engine/decision/definition.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { sessionEvents } from "../../schemas/topics.ts";
import { CommandFailure } from "../command-failure.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import type { Stores } from "../system/stores.ts";

type SessionCommand = <Answer>(
  call: CommandCall<Answer>,
) => Promise<{ readonly answer: Answer; readonly happened: boolean }>;

/** Gives session commands beside the running system, as the API gives them. */
export async function sessionCommands({
  eventStore,
  codec,
}: Pick<Stores, "eventStore" | "codec">): Promise<SessionCommand> {
  await codec.prepare(sessionEvents);
  const random = new SystemRandom();
  const ports = { eventStore, codec, random, clock: systemClock, metrics: noMetrics };
  const decider = new Decider(ports);
  const correlationId = `refold sessions ${random.id()}`;
  return async (call) => {
    const result = await decider.execute(call, { correlationId });
    switch (result.outcome) {
      case "accepted":
        return { answer: result.answer, happened: result.recorded.length > 0 };
      case "refused":
        throw new CommandFailure("nothingThere", result.refusal.detail);
      case "held":
        throw new CommandFailure(
          "refused",
          `The store is held by ${result.by}: try again when that is done.`,
        );
      case "repeated":
        throw new CommandFailure("failed", "A command without a key was told to be repeated.");
      default:
        return result satisfies never;
    }
  };
}
