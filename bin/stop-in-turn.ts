/** Something that is stopped at the end, in the reverse order of starting. */
interface Stoppable {
  readonly name: string;
  readonly timeoutMs: number;
  readonly stop: () => PromiseLike<void> | void;
}

/**
 * Stops what a process has started, last first. Each stop has a deadline: one that hangs or fails
 * is reported and doesn't keep the others from stopping.
 */
export class StopInTurn implements AsyncDisposable {
  readonly #parts: Stoppable[] = [];
  readonly #report: (message: string) => void;

  constructor(report: (message: string) => void) {
    this.#report = report;
  }

  add(name: string, stop: () => PromiseLike<void> | void, timeoutMs = 10_000): void {
    this.#parts.push({ name, stop, timeoutMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let part = this.#parts.pop(); part; part = this.#parts.pop()) await this.#stop(part);
  }

  async #stop({ name, stop, timeoutMs }: Stoppable): Promise<void> {
    const late = Promise.withResolvers<"late">();
    const timer = setTimeout(() => late.resolve("late"), timeoutMs);
    try {
      const stopped = Promise.resolve(stop());
      // It may still fail after its deadline; then nobody waits for it.
      stopped.catch(() => undefined);
      if ((await Promise.race([stopped, late.promise])) === "late") {
        this.#report(`The ${name} did not stop within ${timeoutMs / 1_000} s and is left behind.`);
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#report(`The ${name} did not stop cleanly: ${why}`);
    } finally {
      clearTimeout(timer);
    }
  }
}
