/** A part of a measurement, on the clock of performance.now. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}
