import { catalogue } from "../../connectors/prometheus/index.ts";
import { alertGroups } from "./alerts.ts";
import { alertsFile } from "./alerts-file.ts";
import { dashboardFile } from "./dashboard-file.ts";
import { dashboards } from "./dashboards.ts";
import { knownSeries } from "./known-series.ts";

/** What stack/ has for Prometheus and Grafana, by path from there. */
export async function generatedMonitoring(): Promise<ReadonlyMap<string, string>> {
  const known = await knownSeries();
  return new Map([
    ["prometheus/alerts.yaml", alertsFile(alertGroups, known)],
    ...dashboards.map(
      (one) =>
        [`grafana/dashboards/${one.uid}.json`, dashboardFile(one, { catalogue, known })] as const,
    ),
  ]);
}
