import type { CommandExecutor } from "../../api/index.ts";
import { TransientError } from "../../engine/errors.ts";

/** Whether the store's disk has too little room left. */
export interface Room {
  readonly full: boolean;
}

/**
 * Refuses commands while the disk is full; what was accepted before is still captured, applied and
 * shown. The refusal costs nothing, so it holds however many come.
 */
export function commandsWhileRoom(decider: CommandExecutor, room: Room): CommandExecutor {
  return {
    execute: (call, origin, more) =>
      room.full
        ? Promise.reject(
            new TransientError(
              "storage-full",
              "The disk of the event store is full: nothing is recorded until there is room.",
            ),
          )
        : decider.execute(call, origin, more),
  };
}
