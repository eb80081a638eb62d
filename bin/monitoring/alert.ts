/** An alert as Prometheus takes it, and where the runbook tells of it. */
export interface Alert {
  /** Begins with Refold. */
  readonly name: string;
  readonly expression: string;
  /** How long it must be so; left out: at once. */
  readonly for?: string;
  /** `critical`: somebody gets up for it. `warning`: during the day. */
  readonly severity: "critical" | "warning";
  /** One line; may use Prometheus' templates. */
  readonly summary: string;
}

export interface AlertGroup {
  readonly name: string;
  readonly alerts: readonly Alert[];
}

const runbook = "docs/runbook.md";

/** GitHub's and other renderers' anchor of a heading that is the alert's name. */
export const anchorOf = ({ name }: Pick<Alert, "name">): string => name.toLowerCase();

/** A path in the project: whoever has the documents elsewhere rewrites it with relabelling. */
export const runbookUrl = (alert: Alert): string => `${runbook}#${anchorOf(alert)}`;
