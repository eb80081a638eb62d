import type { MetricCatalogue } from "../../connectors/prometheus/index.ts";
import type { CustomPanel, Dashboard, PanelSource } from "./dashboard.ts";
import { expressionFaults, type KnownSeries } from "./known-series.ts";
import { panelOf } from "./panel-of-metric.ts";

export interface DashboardSources {
  readonly catalogue: MetricCatalogue;
  readonly known: ReadonlyMap<string, KnownSeries>;
}

/** The dashboard's source in Grafana is a variable, so that it can be imported anywhere. */
const datasource = { type: "prometheus", uid: "${datasource}" };

/** Of 24 columns. */
const panelWidth = 8;
const panelHeight = 8;
const panelsInARow = 24 / panelWidth;

/**
 * A dashboard as Grafana takes it (https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/).
 *
 * @throws TypeError naming panels of metrics that aren't told.
 */
export function dashboardFile(dashboard: Dashboard, sources: DashboardSources): string {
  const { uid, title, about, rows } = dashboard;
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    const id = panels.length + 1;
    panels.push({
      id,
      type: "row",
      title: row.title,
      gridPos: { h: 1, w: 24, x: 0, y },
      panels: [],
    });
    y += 1;
    for (const [at, source] of row.panels.entries()) {
      const place = { at, id: panels.length + 1, y };
      panels.push(panelJson(panelFrom(source, sources), place));
    }
    y += Math.ceil(row.panels.length / panelsInARow) * panelHeight;
  }
  const json = { ...settings, uid, title, description: about, panels };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}

const settings = {
  schemaVersion: 39,
  tags: ["refold"],
  editable: true,
  graphTooltip: 1,
  refresh: "10s",
  time: { from: "now-1h", to: "now" },
  timezone: "browser",
  templating: {
    list: [{ name: "datasource", type: "datasource", query: "prometheus", label: "Prometheus" }],
  },
  links: [
    { type: "dashboards", title: "Refold", tags: ["refold"], asDropdown: true, keepTime: true },
  ],
};

function panelFrom(source: PanelSource, { catalogue, known }: DashboardSources): CustomPanel {
  const definition = typeof source === "string" ? catalogue[source] : undefined;
  if (typeof source === "string" && definition === undefined) {
    throw new TypeError(`A panel shows ${source}, which the catalogue of metrics doesn't have.`);
  }
  const panel =
    typeof source === "string" && definition
      ? panelOf(source, definition)
      : (source as CustomPanel);
  const faults = panel.expressions.flatMap(({ expression }) => expressionFaults(expression, known));
  if (faults.length > 0) throw new TypeError(`Panel ${panel.title}: ${faults.join("; ")}.`);
  return panel;
}

interface Place {
  readonly at: number;
  readonly id: number;
  readonly y: number;
}

function panelJson(panel: CustomPanel, { at, id, y }: Place): object {
  const { title, about, unit, kind, least = 0, expressions } = panel;
  return {
    id,
    type: kind,
    title,
    description: about,
    datasource,
    gridPos: {
      h: panelHeight,
      w: panelWidth,
      x: (at % panelsInARow) * panelWidth,
      y: y + Math.floor(at / panelsInARow) * panelHeight,
    },
    fieldConfig: { defaults: { unit, min: least }, overrides: [] },
    targets: expressions.map(({ expression, legend }, index) => ({
      refId: String.fromCodePoint(65 + index),
      datasource,
      expr: expression,
      legendFormat: legend,
    })),
  };
}
