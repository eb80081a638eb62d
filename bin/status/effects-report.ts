import type { EffectCount, EffectState } from "../../engine/ports/effect-ledger.ts";

/** Effects of one kind that are not done. */
export interface EffectStatus {
  readonly kind: string;
  /** Nobody is at them now; some were tried before, perhaps. */
  readonly requested: number;
  readonly started: number;
  /** Given up. */
  readonly failed: number;
  /** Since the oldest of them was wanted. */
  readonly oldestSeconds: number;
}

/** By kind, in their order. */
export function effectsStatus(counts: readonly EffectCount[] = []): EffectStatus[] {
  const open = counts.filter(({ state }) => state !== "done");
  const kinds = [...new Set(open.map(({ kind }) => kind))].sort();
  return kinds.map((kind) => {
    const ofKind = open.filter((one) => one.kind === kind);
    const countOf = (state: EffectState): number =>
      ofKind.find((one) => one.state === state)?.effects ?? 0;
    return {
      kind,
      requested: countOf("requested"),
      started: countOf("started"),
      failed: countOf("failed"),
      oldestSeconds: Math.max(...ofKind.map(({ oldestMs }) => oldestMs)) / 1_000,
    };
  });
}

/** A line for each kind. */
export function effectLines(effects: readonly EffectStatus[]): string[] {
  return effects.map(({ kind, requested, started, failed, oldestSeconds }) => {
    const counts = [
      ...(requested > 0 ? [`${requested} wait`] : []),
      ...(started > 0 ? [`${started} under way`] : []),
      ...(failed > 0 ? [`${failed} given up (see refold effects list --state failed)`] : []),
    ];
    return `effects ${kind}: ${counts.join(", ")}; the oldest is ${oldestSeconds.toFixed(1)} s old`;
  });
}
