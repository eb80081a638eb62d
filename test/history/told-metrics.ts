import type { Metrics } from "../../engine/ports/metrics.ts";
import { catalogue } from "../../connectors/prometheus/catalogue.ts";

/** The last value of each gauge and the sum of each counter; a name that isn't listed is an error. */
export class ToldMetrics implements Metrics {
  readonly values = new Map<string, number>();

  count(name: string, by: number): void {
    this.#set(name, (this.values.get(name) ?? 0) + by);
  }

  gauge(name: string, value: number): void {
    this.#set(name, value);
  }

  drop(name: string): void {
    this.values.delete(name);
  }

  observe(name: string, value: number): void {
    this.#set(name, value);
  }

  #set(name: string, value: number): void {
    if (catalogue[name] === undefined) throw new Error(`${name} is not in the catalogue.`);
    this.values.set(name, value);
  }
}
