export interface DemoOptions {
  readonly students: number;
  readonly modules: number;
  /** Wishes that arrive, on average. */
  readonly perSecond: number;
  readonly seed: number;
  readonly port: number;
  /** undefined: one of its own, which is gone afterwards unless `keep`. */
  readonly data: string | undefined;
  readonly keep: boolean;
  /** How long a seat is held for its payment. */
  readonly holdSeconds: number;
}

export const defaultDemoOptions: DemoOptions = {
  students: 10_000,
  modules: 20,
  perSecond: 300,
  seed: 1,
  port: 0,
  data: undefined,
  keep: false,
  holdSeconds: 15,
};
