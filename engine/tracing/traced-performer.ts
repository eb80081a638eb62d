import type { EffectPerformer, EffectTry } from "../effect.ts";
import type { Tracer } from "../ports/tracing.ts";
import { errorTypeOf } from "./conventions.ts";

/**
 * Tells of each try at an effect. What the performer is told of the effect has the span's context,
 * for the other side.
 */
export function tracedPerformer(
  performer: EffectPerformer,
  tracer: Tracer | undefined,
): EffectPerformer {
  if (tracer?.records !== true) return performer;
  const { kind } = performer;
  const perform: EffectPerformer["perform"] = async (effect) => {
    const span = tracer.start({
      name: kind,
      kind: "client",
      parent: effect.stored.traceparent,
      attributes: attributesOf(effect),
    });
    const traceparent = span.traceparent ?? effect.stored.traceparent;
    const stored = traceparent === undefined ? effect.stored : { ...effect.stored, traceparent };
    try {
      const outcome = await performer.perform({ ...effect, stored });
      span.end();
      return outcome;
    } catch (error) {
      span.fail(errorTypeOf(error), error instanceof Error ? error.message : undefined);
      throw error;
    }
  };
  return { ...performer, kind, perform };
}

const attributesOf = ({ key, attempt, stored }: EffectTry) => ({
  "refold.effect.kind": stored.kind,
  "refold.effect.key": key,
  "refold.effect.attempt": attempt,
});
