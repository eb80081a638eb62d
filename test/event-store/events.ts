import type { ConditionItem, NewEvent } from "../../engine/ports/event-store.ts";
import { globalPosition } from "../../engine/position.ts";

let lastId = 0;

export function event(
  type: string,
  tags: readonly string[],
  more: Partial<NewEvent> = {},
): NewEvent {
  lastId += 1;
  return {
    id: `e-${lastId}`,
    type,
    topic: "seats",
    partition: 0,
    key: "k",
    value: Buffer.from(`value ${lastId}`),
    tags,
    correlationId: "c",
    ...more,
  };
}

export const nothingAfter = (
  after: bigint | number,
  tags: readonly string[],
  types?: readonly string[],
): ConditionItem => ({
  after: globalPosition(after),
  tags,
  ...(types ? { types } : {}),
});

export const command = { as: "command" } as const;
