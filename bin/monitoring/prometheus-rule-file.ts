import { parse, stringify } from "yaml";

const head = `# Made by npm run generate: stack/prometheus/alerts.yaml as the Prometheus Operator takes it.
`;

/** The text of the PrometheusRule. @param alerts The text of stack/prometheus/alerts.yaml. */
export function prometheusRuleFile(alerts: string): string {
  const rule = {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name: "refold" },
    spec: parse(alerts) as object,
  };
  return head + stringify(rule, { lineWidth: 96 });
}
