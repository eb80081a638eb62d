import { catalogue } from "../../connectors/prometheus/index.ts";
import { alertGroups } from "./alerts.ts";
import { alertsFile } from "./alerts-file.ts";
import { dashboardFile } from "./dashboard-file.ts";
import { dashboards } from "./dashboards.ts";
import { application } from "../system/definitions.ts";
import { knownSeries } from "./known-series.ts";
import { prometheusRuleFile } from "./prometheus-rule-file.ts";
import { scaledWorkersFile } from "./scaled-workers-file.ts";

/** What stack/ has for Prometheus, Grafana and KEDA, by path from there. */
export async function generatedMonitoring(): Promise<ReadonlyMap<string, string>> {
  const known = await knownSeries();
  const alerts = alertsFile(alertGroups, known);
  return new Map([
    ["prometheus/alerts.yaml", alerts],
    ["kubernetes/components/monitoring/prometheus-rule.yaml", prometheusRuleFile(alerts)],
    ["kubernetes/overlays/kafka/scaled-workers.yaml", scaledWorkersFile(application)],
    ...dashboards.map(
      (one) =>
        [`grafana/dashboards/${one.uid}.json`, dashboardFile(one, { catalogue, known })] as const,
    ),
  ]);
}
