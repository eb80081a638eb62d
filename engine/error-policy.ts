import {
  FatalError,
  FencedError,
  InvariantViolation,
  RecordError,
  TransientError,
} from "./errors.ts";

/** What the one who meets an error does about it. */
export type ErrorVerdict =
  /** Try again with backoff, bounded, then halt. */
  | "retry"
  /** The record can never work: halt its partition or park its key, as the definition says. */
  | "record"
  /** Somebody else owns the partitions: drop them. */
  | "fenced"
  /** Stop here, with the cause told. */
  | "halt"
  /** Not ours to catch: our own reasoning was wrong, or a test has pulled the plug. */
  | "rethrow";

/** Total: what it doesn't know halts, so that nothing unknown is retried or set aside. */
export function classify(error: unknown): ErrorVerdict {
  if (error instanceof TransientError) return "retry";
  if (error instanceof RecordError) return "record";
  if (error instanceof FencedError) return "fenced";
  if (error instanceof FatalError) return "halt";
  if (error instanceof InvariantViolation || error instanceof CrashSignal) return "rethrow";
  return "halt";
}

/** A process that dies at a crash point. Not an `Error` of ours: nothing handles it. */
export class CrashSignal extends Error {
  constructor(where: string) {
    super(`Crashed at ${where}, as asked.`);
    this.name = "CrashSignal";
  }
}

/** An error as one sentence for an operator: its code first, where it has one. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? `${error.code}: ` : "";
  return `${code}${error.message}`;
}
