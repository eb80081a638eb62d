/** What a worker tells who has started it. */
export type FromWorker =
  /** Its partitions, and the offset that each has durably reached. */
  | { readonly kind: "at"; readonly offsets: readonly (readonly [number, number])[] }
  /** Why it halted. */
  | { readonly kind: "halted"; readonly reason: string }
  /** It has stopped; its processor time since the gate has opened, in microseconds. */
  | { readonly kind: "used"; readonly processorUs: number };

/** What it is told. */
export type ToWorker = "open" | "stop";
