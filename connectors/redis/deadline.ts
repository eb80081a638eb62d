/** Ends a wait after a time, whatever became of what was waited for. */
export class TimedOut extends Error {
  override readonly message = "Command timed out";
}

/**
 * Calls back after the time, but not before what had come by then has been read: in a process that is
 * busy for longer than the time, timers are due first, and what came long ago is read after them.
 *
 * @returns what takes it back.
 */
export function afterReading(ms: number, late: () => void): () => void {
  let turn: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => (turn = setImmediate(late)), ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(turn);
  };
}

/** @throws TimedOut; the work may go on. */
export async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const done = afterReading(ms, () => late.reject(new TimedOut()));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    done();
  }
}
