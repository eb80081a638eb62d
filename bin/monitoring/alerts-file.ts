import { stringify } from "yaml";

import { type Alert, type AlertGroup, runbookUrl } from "./alert.ts";
import { expressionFaults, type KnownSeries } from "./known-series.ts";

const head = `# Made by npm run generate from bin/monitoring and the catalogue of metrics; not edited by hand.
# Alerts for Prometheus (rule_files); docs/runbook.md has a paragraph for each.
`;

/** The text of stack/prometheus/alerts.yaml. @throws TypeError for expressions of nothing told. */
export function alertsFile(
  groups: readonly AlertGroup[],
  known: ReadonlyMap<string, KnownSeries>,
): string {
  const faults = groups.flatMap(({ alerts }) =>
    alerts.flatMap(({ name, expression }) =>
      expressionFaults(expression, known).map((fault) => `${name}: ${fault}`),
    ),
  );
  if (faults.length > 0) throw new TypeError(`Alerts: ${faults.join("; ")}.`);
  const rules = groups.map(({ name, alerts }) => ({ name, rules: alerts.map(ruleOf) }));
  return head + stringify({ groups: rules }, { lineWidth: 96 });
}

const ruleOf = (alert: Alert): object => ({
  alert: alert.name,
  expr: alert.expression,
  ...(alert.for === undefined ? {} : { for: alert.for }),
  labels: { severity: alert.severity },
  annotations: { summary: alert.summary, runbook_url: runbookUrl(alert) },
});
