import type { EffectLedger } from "../../engine/ports/effect-ledger.ts";
import { CommandFailure } from "../command-failure.ts";

/** Which effects that were given up are to be tried again: one, those of a kind, or all. */
export type RetryChoice =
  | { readonly choice: "key"; readonly key: string }
  | { readonly choice: "kind"; readonly kind: string }
  | { readonly choice: "all" };

export interface Retried {
  readonly retried: number;
  /** There may be more: ask again. */
  readonly more: boolean;
}

/** One call's effects. */
const effectsMax = 10_000;

/** @throws CommandFailure unless exactly one of key, kind and all is given. */
export function retryChoiceOf(
  key: string | undefined,
  { kind, all }: { readonly kind?: string; readonly all?: true },
): RetryChoice {
  if ([key, kind, all].filter((one) => one !== undefined).length !== 1) {
    throw new CommandFailure("usage", "Name one effect by its key, or give --kind or --all.");
  }
  if (key !== undefined) return { choice: "key", key };
  return kind === undefined ? { choice: "all" } : { choice: "kind", kind };
}

/** @throws CommandFailure for a key that isn't there, or whose effect was not given up. */
export async function retryEffects(
  ledger: Pick<EffectLedger, "find" | "list" | "retry">,
  choice: RetryChoice,
): Promise<Retried> {
  if (choice.choice === "key") return { retried: await retryOne(ledger, choice.key), more: false };
  const ofKind = choice.choice === "kind" ? { kind: choice.kind } : {};
  const failed = await ledger.list({ ...ofKind, state: "failed", limit: effectsMax });
  const retried = failed.length === 0 ? 0 : await ledger.retry(failed.map(({ key }) => key));
  return { retried, more: failed.length === effectsMax };
}

async function retryOne(
  ledger: Pick<EffectLedger, "find" | "retry">,
  key: string,
): Promise<number> {
  const retried = await ledger.retry([key]);
  if (retried > 0) return retried;
  const effect = await ledger.find(key);
  if (effect === undefined) throw unknownEffect(key);
  throw new CommandFailure(
    "refused",
    `The effect ${key} is ${effect.state}: only what was given up (failed) is tried again by hand.`,
  );
}

export const unknownEffect = (key: string): CommandFailure =>
  new CommandFailure("nothingThere", `There is no effect ${key} (see refold effects list).`);
