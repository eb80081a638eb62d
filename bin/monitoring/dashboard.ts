/** A page of panels; what each panel shows follows from the catalogue's entry of its metric. */
export interface Dashboard {
  /** Part of its address in Grafana, and its file's name. */
  readonly uid: string;
  readonly title: string;
  /** What it answers, in a sentence. */
  readonly about: string;
  readonly rows: readonly DashboardRow[];
}

export interface DashboardRow {
  readonly title: string;
  readonly panels: readonly PanelSource[];
}

/** A metric's name without its prefix, or a panel with expressions of its own. */
export type PanelSource = string | CustomPanel;

export interface CustomPanel {
  readonly title: string;
  readonly about: string;
  readonly unit: Unit;
  readonly kind: "timeseries" | "stat";
  /** Of the axis; default: 0. */
  readonly least?: number;
  readonly expressions: readonly PanelExpression[];
}

export interface PanelExpression {
  readonly expression: string;
  /** Grafana's template of the legend. */
  readonly legend: string;
}

/** Grafana's names of units. */
export type Unit = "short" | "s" | "bytes" | "ops" | "percentunit";
