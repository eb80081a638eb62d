export { PrometheusMetrics, type PrometheusMetricsOptions } from "./prometheus-metrics.ts";
export {
  catalogue,
  labelMeanings,
  type MetricCatalogue,
  type MetricDefinition,
  type MetricLabel,
} from "./catalogue.ts";
