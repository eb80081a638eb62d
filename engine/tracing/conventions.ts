import { RefoldError } from "../errors.ts";
import type { SpanAttributes } from "../ports/tracing.ts";

/** The system that all messaging spans name, whichever log carries the records. */
const system = { "messaging.system": "refold" } as const;

export interface Destination {
  readonly topic: string;
  /** undefined: several. */
  readonly partition: number | undefined;
  readonly messages: number;
}

/** Attributes of a span that sends to a topic. */
export const sending = (to: Destination): SpanAttributes => ({
  ...system,
  "messaging.operation.name": "append",
  "messaging.operation.type": "send",
  ...destinationOf(to),
});

/** Attributes of a span that processes a batch of a topic. */
export const processing = (from: Destination, consumer: string): SpanAttributes => ({
  ...system,
  "messaging.operation.name": "process",
  "messaging.operation.type": "process",
  "messaging.consumer.group.name": consumer,
  ...destinationOf(from),
});

function destinationOf({ topic, partition, messages }: Destination): SpanAttributes {
  return {
    "messaging.destination.name": topic,
    "messaging.batch.message_count": messages,
    ...(partition === undefined ? {} : { "messaging.destination.partition.id": String(partition) }),
  };
}

/** `error.type`: an error's code where it has one, otherwise its class. */
export function errorTypeOf(error: unknown): string {
  if (error instanceof RefoldError) return error.code;
  return error instanceof Error ? error.name : "unknown";
}
