import type { Alert } from "./alert.ts";

/** Every process tells the same of what is counted in the store: hence max. */
export const effectAlerts: readonly Alert[] = [
  {
    name: "RefoldEffectGivenUp",
    expression: `max by (kind) (refold_effects_open{state="failed"}) > 0`,
    severity: "critical",
    summary: "A {{ $labels.kind }} was given up",
  },
  {
    name: "RefoldEffectsWait",
    expression: `max by (kind) (refold_effect_oldest_seconds{state!="failed"}) > 900`,
    severity: "warning",
    summary: "A {{ $labels.kind }} has waited for 15 minutes",
  },
  {
    name: "RefoldEffectsUnseen",
    expression: "sum by (instance) (increase(refold_effect_ledger_failures_total[10m])) > 10",
    severity: "warning",
    summary: "{{ $labels.instance }} can't look into the ledger of effects",
  },
  {
    name: "RefoldDeadlinesLate",
    expression:
      "histogram_quantile(0.99, sum by (le) (rate(refold_deadline_delay_seconds_bucket[10m]))) > 10" +
      " or sum(increase(refold_deadline_failures_total[10m])) > 10",
    for: "5m",
    severity: "warning",
    summary: "Deadlines are decided on late, or not at all",
  },
];
