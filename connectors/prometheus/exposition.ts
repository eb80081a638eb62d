import type { Registry } from "prom-client";

/** What prom-client's metrics give of each value; its own types leave half of it out. */
interface Value {
  readonly value: number;
  readonly metricName?: string;
  /** Of this line alone: of a histogram its bound. */
  readonly labels?: Labels;
  /** Of a histogram's every line: one object for as long as the series is there. */
  readonly sharedLabels?: Labels;
}

type Labels = Readonly<Record<string, string | number>>;

interface Told {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values?: readonly Value[];
}

interface Metric {
  get(): Promise<Told>;
  /** Only of histograms: as `get`, with the shared labels apart. */
  getForPromString?(): Promise<Told>;
}

/**
 * Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/), the text
 * that prom-client's registry gives. That one makes each series' labels into text at each
 * scrape; here they are made once for as long as the series is there, which halves a scrape.
 */
export class Exposition {
  readonly #registry: Registry;
  readonly #texts = new WeakMap<Labels, string>();
  /** Of a histogram's bounds, whose labels are made anew at each scrape. */
  readonly #bounds = new Map<string | number, string>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  async text(): Promise<string> {
    const metrics = this.#registry.getMetricsAsArray() as unknown as readonly Metric[];
    const told = await Promise.all(metrics.map((one) => one.getForPromString?.() ?? one.get()));
    return `${told.map((one) => this.#metric(one)).join("\n\n")}\n`;
  }

  #metric({ name, help, type, values = [] }: Told): string {
    let text = `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}`;
    for (const { value, metricName = name, labels, sharedLabels } of values) {
      text += `\n${metricName}${this.#braced(labels, sharedLabels)} ${valueText(value)}`;
    }
    return text;
  }

  #braced(labels: Labels | undefined, shared: Labels | undefined): string {
    if (shared === undefined) {
      const own = labels === undefined ? "" : this.#textOf(labels);
      return own === "" ? "" : `{${own}}`;
    }
    const bound = labels?.["le"];
    const own = bound === undefined ? "" : this.#boundText(bound);
    const both = this.#textOf(shared);
    if (own === "" && both === "") return "";
    return own === "" || both === "" ? `{${own}${both}}` : `{${own},${both}}`;
  }

  #textOf(labels: Labels): string {
    let text = this.#texts.get(labels);
    if (text === undefined) {
      text = Object.entries(labels)
        .map(([name, value]) => `${name}="${labelText(value)}"`)
        .join(",");
      this.#texts.set(labels, text);
    }
    return text;
  }

  #boundText(bound: string | number): string {
    let text = this.#bounds.get(bound);
    if (text === undefined) {
      text = `le="${labelText(bound)}"`;
      this.#bounds.set(bound, text);
    }
    return text;
  }
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");

const labelText = (value: string | number): string => escaped(String(value)).replaceAll('"', '\\"');

function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return "Nan";
  return value > 0 ? "+Inf" : "-Inf";
}
