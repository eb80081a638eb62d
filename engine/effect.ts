import type { FollowedCall, WantedEffect } from "./decision/definition.ts";
import type { StoredEffect } from "./ports/effect-ledger.ts";

/** What a performer is told of an effect. */
export interface EffectTry<Input = unknown, Secret = unknown> {
  /** The idempotency key for the other side: the same in every try. */
  readonly key: string;
  readonly input: Input;
  /** undefined: there was none, or the effect is over. */
  readonly secret: Secret | undefined;
  /** From 1. A higher one: an earlier try failed, or died, and may have been heard all the same. */
  readonly attempt: number;
  readonly stored: StoredEffect;
  /** Aborted when the process stops, or when the try takes too long. */
  readonly signal: AbortSignal;
}

/** What the other side said, and what is to be decided on it. */
export interface EffectOutcome {
  /** A JSON value, kept in the ledger. */
  readonly answer: unknown;
  /** undefined: nothing follows now (the outcome will be told from outside). */
  readonly follows: FollowedCall | undefined;
}

/**
 * Calls the outside world. Throws TransientError when another try makes sense (no answer, too busy);
 * any other error gives the effect up, for an operator to look at.
 */
export interface EffectPerformer {
  readonly kind: string;
  perform(effect: EffectTry): Promise<EffectOutcome>;
}

/** A kind of effect on the outside world. */
export interface EffectType<Input, Secret = never> {
  readonly kind: string;
  /** An effect for a decision to want (`Wanted.effects`). It happens once for each key. */
  of(key: string, input: Input, secret?: Secret): WantedEffect;
  /** Whoever performs effects of this kind. */
  performedBy(
    perform: (effect: EffectTry<Input, Secret>) => Promise<EffectOutcome>,
  ): EffectPerformer;
}

/** Declares a kind of effect: `defineEffect<Charge, Card>({ kind: "payment.charge", tags })`. */
export function defineEffect<Input, Secret = never>(definition: {
  readonly kind: string;
  /** `<kind>:<id>` of what the effect has to do with, as events are tagged. */
  readonly tags: (input: Input) => readonly string[];
}): EffectType<Input, Secret> {
  const { kind, tags } = definition;
  return {
    kind,
    of: (key, input, secret) => ({
      key: `${kind}/${key}`,
      kind,
      input,
      tags: tags(input),
      ...(secret === undefined ? {} : { secret }),
    }),
    performedBy: (perform) => ({
      kind,
      perform: (effect) => perform(effect as EffectTry<Input, Secret>),
    }),
  };
}
