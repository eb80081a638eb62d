/**
 * Metrics as a structural port. Names carry no prefix and end in their base unit (`flush_seconds`);
 * the adapter adds `refold_`. Label sets are small and closed: never ids or keys.
 */
export type Labels = Readonly<Record<string, string>>;

export interface Metrics {
  /** Adds to a counter. */
  count(name: string, by: number, labels?: Labels): void;
  /** Sets a gauge. */
  gauge(name: string, value: number, labels?: Labels): void;
  /** Takes a gauge's series back: what it told is no longer this process's to tell. */
  drop(name: string, labels: Labels): void;
  /** Puts a value (usually seconds) into a histogram. */
  observe(name: string, value: number, labels?: Labels): void;
}

export const noMetrics: Metrics = {
  count: () => undefined,
  gauge: () => undefined,
  drop: () => undefined,
  observe: () => undefined,
};
