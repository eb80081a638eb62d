/** A part of what a request brings with its events. */
export interface Brought<Part> {
  readonly part: Part;
  /** The number of its request in the transaction, from 1: the part counts with it. */
  readonly request: number;
}

export const allBrought = <Request, Part>(
  requests: readonly Request[],
  partsOf: (request: Request) => readonly Part[] | undefined,
): Brought<Part>[] =>
  requests.flatMap((request, index) =>
    (partsOf(request) ?? []).map((part) => ({ part, request: index + 1 })),
  );
