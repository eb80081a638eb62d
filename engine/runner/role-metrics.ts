import type { Labels, Metrics } from "../ports/metrics.ts";

/** What a consumer's work is for: what is read, or an undo. Roles change while it works. */
export interface Duty {
  role: "serving" | "kept";
}

/**
 * One consumer's metrics: under its definition's name while it serves, apart while its generation
 * is only kept, so that two generations of a projection don't add up to twice its traffic.
 */
export class RoleMetrics implements Metrics {
  readonly #metrics: Metrics;
  readonly #duty: Readonly<Duty>;

  constructor(metrics: Metrics, duty: Readonly<Duty>) {
    this.#metrics = metrics;
    this.#duty = duty;
  }

  count(name: string, by: number, labels?: Labels): void {
    this.#metrics.count(name, by, this.#told(labels));
  }

  gauge(name: string, value: number, labels?: Labels): void {
    this.#metrics.gauge(name, value, this.#told(labels));
  }

  drop(name: string, labels: Labels): void {
    this.#metrics.drop(name, this.#told(labels) ?? {});
  }

  observe(name: string, value: number, labels?: Labels): void {
    this.#metrics.observe(name, value, this.#told(labels));
  }

  #told(labels: Labels | undefined): Labels | undefined {
    const consumer = labels?.["consumer"];
    if (this.#duty.role === "serving" || consumer === undefined) return labels;
    return { ...labels, consumer: `${consumer}~kept` };
  }
}
