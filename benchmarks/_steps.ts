/**
 * The steps to measure on the way to the most that is asked for, and that itself.
 * @param between Rising; those at or above the most are left out.
 */
export const stepsTo = (most: number, between: readonly number[]): number[] => [
  ...between.filter((step) => step < most),
  most,
];
