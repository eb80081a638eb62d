/** Something that must hold, and whether it does. */
export interface Claim {
  readonly says: string;
  /** The numbers that it rests on. */
  readonly rests: string;
  /** What speaks against it; it holds where there is nothing. */
  readonly against: readonly string[];
}

/** Differences that are shown of each claim. */
const shownMax = 5;

export function claimText({ says, rests, against }: Claim): string {
  const head = `${against.length === 0 ? "ok    " : "FAILS "} ${says}: ${rests}`;
  const more = against.length - shownMax;
  return [
    head,
    ...against.slice(0, shownMax).map((line) => `         ${line}`),
    ...(more > 0 ? [`         and ${more} more`] : []),
  ].join("\n");
}

export const count = (n: number, noun: string): string =>
  `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;

export const money = (cents: number): string =>
  (cents / 100).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
