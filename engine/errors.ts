/**
 * Errors are named by what the caller does about them. `classify` (error-policy.ts) is total: what
 * it doesn't know is fatal.
 */
export abstract class RefoldError extends Error {
  /** Stable, for programs: `fenced`, `hole`, `log-replaced`, ... */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** May work when tried again: the caller retries with backoff, bounded, then halts. */
export class TransientError extends RefoldError {}

/** This record can never work: it goes to the dead letters, and its key's later records wait. */
export class RecordError extends RefoldError {}

/** Another writer owns these partitions now: the caller drops its task and what it has not committed. */
export class FencedError extends RefoldError {
  readonly partitions: readonly number[];

  constructor(partitions: readonly number[], message: string, options?: ErrorOptions) {
    super("fenced", message, options);
    this.partitions = partitions;
  }
}

/** Going on would be wrong: the caller halts, with cause and remedy. */
export class FatalError extends RefoldError {
  /** What the operator does next, as a sentence. */
  readonly remedy: string;

  constructor(code: string, message: string, remedy: string, options?: ErrorOptions) {
    super(code, `${message} ${remedy}`, options);
    this.remedy = remedy;
  }
}

/** Our own reasoning was wrong. Never caught below `bin`. */
export class InvariantViolation extends RefoldError {
  constructor(message: string, options?: ErrorOptions) {
    super("invariant", message, options);
  }
}

export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message);
}
