import type { AppendVerdict } from "../ports/event-store.ts";
import type { Span, Tracer } from "../ports/tracing.ts";
import { errorTypeOf, sending } from "../tracing/conventions.ts";
import { carriedTraceparent } from "../tracing/trace-context.ts";
import { factsOf, type DecidedCall, type Group } from "./group.ts";

/**
 * Spans of one append, one for each call that has facts: its events carry the span's context on.
 * Where nothing is recorded they have the contexts that they were decided with.
 */
export class Sends {
  readonly #spans: Span[] = [];

  constructor(tracer: Tracer, group: Group) {
    if (!tracer.records) return;
    for (const call of group.calls) {
      const span = spanOf(tracer, call);
      if (span === undefined) continue;
      call.traceparent = span.traceparent;
      this.#spans.push(span);
    }
  }

  end(verdict: AppendVerdict): void {
    for (const span of this.#spans) {
      if (verdict.outcome === "appended") span.end();
      else span.fail(verdict.outcome);
    }
  }

  fail(error: unknown): void {
    for (const span of this.#spans) span.fail(errorTypeOf(error));
  }
}

function spanOf(tracer: Tracer, call: DecidedCall): Span | undefined {
  const events = factsOf(call).map(({ newEvent }) => newEvent);
  const [first] = events;
  if (first === undefined) return undefined;
  const { topic } = first;
  const isOne = events.every((one) => one.topic === topic && one.partition === first.partition);
  const partition = isOne ? first.partition : undefined;
  const { command } = call.asked.call;
  return tracer.start({
    name: `send ${topic}`,
    kind: "producer",
    parent: carriedTraceparent(call.asked.origin),
    attributes: {
      ...sending({ topic, partition, messages: events.length }),
      "refold.command": command.name,
      "messaging.message.conversation_id": first.correlationId,
    },
  });
}
