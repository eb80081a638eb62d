import { randomUUID } from "node:crypto";

import type { EventCodec } from "../engine/ports/codec.ts";
import type { EventStore, NewEvent } from "../engine/ports/event-store.ts";
import { ModuleOffered, ModuleRegistered } from "../schemas/index.ts";
import { newModuleEvent } from "./_history.ts";

/** A seat that is held for a fee. */
export interface HeldSeat {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
  readonly feeCents: number;
}

export interface HeldSeatsPlan {
  readonly modules: number;
  readonly seats: number;
}

/** Registrations of one append: all of one module, and so of one lane. */
const perAppend = 25;
/** Appends that wait at once. */
const waiting = 32;
/** Longer than any run: deadlines are set and cancelled, and none passes. */
const holdMs = 3_600_000;

/**
 * Appends modules and registrations whose seats are held, as the commands would have recorded them.
 * Fees differ, so that a payment of another's amount is seen.
 */
export async function appendHeldSeats(
  { store, codec }: { readonly store: Pick<EventStore, "append">; readonly codec: EventCodec },
  { modules, seats }: HeldSeatsPlan,
): Promise<readonly HeldSeat[]> {
  const codes = Array.from({ length: modules }, () => `M-${randomUUID().slice(0, 8)}`);
  const holdExpiresAt = Date.now() + holdMs;
  const held: HeldSeat[] = [];
  const queue = codes.map((moduleCode) => [
    newModuleEvent(codec, ModuleOffered, {
      moduleCode,
      title: `Module ${moduleCode}`,
      capacity: seats,
      feeCents: 100,
      opensAt: null,
      closesAt: null,
    }),
  ]);
  for (let first = 0; first < seats; first += perAppend) {
    const moduleCode = codes[(first / perAppend) % codes.length] ?? "";
    const count = Math.min(perAppend, seats - first);
    const some = Array.from({ length: count }, (_, at) => heldSeat(moduleCode, first + at));
    held.push(...some);
    const more = { enrolmentId: null, holdExpiresAt, acceptedOffer: false };
    queue.push(some.map((one) => newModuleEvent(codec, ModuleRegistered, { ...one, ...more })));
  }
  await appendAll(store, queue);
  return held;
}

const heldSeat = (moduleCode: string, index: number): HeldSeat => ({
  registrationId: randomUUID(),
  moduleCode,
  studentId: `student-${index}`,
  feeCents: 100 + (index % 900),
});

async function appendAll(
  store: Pick<EventStore, "append">,
  queue: readonly NewEvent[][],
): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    for (let events = queue[next++]; events !== undefined; events = queue[next++]) {
      const verdict = await store.append({ events, condition: [] }, { as: "command" });
      if (verdict.outcome !== "appended") throw new Error(`Appending ended: ${verdict.outcome}.`);
    }
  };
  await Promise.all(Array.from({ length: waiting }, client));
}
