import {
  catalogue,
  labelMeanings,
  PrometheusMetrics,
  type MetricDefinition,
} from "../../connectors/prometheus/index.ts";

const prefix = "refold_";

const introduction = `# Metrics

\`GET /metrics\` tells them in Prometheus' text format. Units are base units (seconds, bytes); counters end in \`_total\`.
A metric that is not listed here can't be told: the adapter refuses names and labels that its catalogue
(\`connectors/prometheus/catalogue.ts\`) doesn't have, and this page is made from it.

## How to read them

- **Throughput** is \`rate(refold_records_applied_total[1m])\` by consumer.
- **Lag** compares the log's own end with what is durable in the store, both read from the outside of the consumer: one that hangs, or has
  halted, shows a growing lag, never 0. \`lag_seconds\` is how long the first record that is not durable has waited. It is exact to the
  interval of observation (1 s) and falls to 0 only when nothing is left. A partition that another process owns is told there;
  \`partitions\` says how many this process owns, so that a partition that nobody owns shows as a sum that is too small.
- **Freshness** is told by the oldest event of each flush: what a reader waited at most.
- **Capture lag** compares the server's own end of the write-ahead log with what is published. While the server can't be asked, the seconds go on growing.
- While the log can't be asked, lag stands as it was and \`monitor_failures_total\` rises: alert on both.
`;

/** The text of docs/metrics.md. */
export async function metricsDocument(): Promise<string> {
  const parts = [
    introduction,
    "## Metrics of Refold\n",
    table(
      ["metric", "kind", "labels", "what"],
      Object.entries(catalogue).map(([name, metric]) => [
        `\`${prefix}${name}\``,
        metric.kind,
        metric.labels.map((label) => `\`${label}\``).join(", "),
        metric.help,
      ]),
    ),
    "## Labels\n\nTheir values come from closed sets; at most 1,000 sets of labels are told for one metric.\n",
    table(
      ["label", "values"],
      Object.entries(labelMeanings).map(([label, meaning]) => [`\`${label}\``, meaning]),
    ),
    "## Metrics of the process\n",
    table(["metric", "kind", "what"], await processMetrics()),
  ];
  return parts.join("\n");
}

async function processMetrics(): Promise<string[][]> {
  const ours = new Set(Object.keys(catalogue).map((name) => prefix + name));
  const described = await new PrometheusMetrics().described();
  return described
    .filter(({ name }) => !ours.has(name))
    .map(({ name, type, help }) => [`\`${name}\``, type, help]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return `${[line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")}\n`;
}

/** What is wrong with a metric's name, by Prometheus' conventions on units and kinds. */
export function nameFault(name: string, { kind }: MetricDefinition): string | undefined {
  if (!/^[a-z][a-z_]*$/.test(name)) return `${name} has characters other than a to z and _`;
  if (kind === "counter") return name.endsWith("_total") ? undefined : `${name} lacks _total`;
  if (name.endsWith("_total")) return `${name} ends in _total and is a ${kind}`;
  const isTime = /(_ms|_millis|_minutes|_hours|_us)$/.test(name);
  return isTime ? `${name} is not in seconds` : undefined;
}
