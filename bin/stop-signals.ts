/** Signals that come together (terminal, npm and launcher each send Ctrl-C on) count as one. */
const togetherMs = 500;

const stopping = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * The wish to stop, from the terminal, the system or a launcher that has died. The first aborts
 * `stop`, so that the command drains; the next one calls `onSecond`.
 */
export class StopSignals implements Disposable {
  readonly #stop = new AbortController();
  readonly #onSecond: () => void;
  readonly #nowMs: () => number;
  #firstAtMs: number | undefined;

  constructor(onSecond: () => void, nowMs = () => performance.now()) {
    this.#onSecond = onSecond;
    this.#nowMs = nowMs;
    for (const name of stopping) process.on(name, this.#received);
    process.on("disconnect", this.#received);
    // Listening for `disconnect` keeps the channel, and with it the process, alive: who only hears
    // that a launcher has died must still end by itself. Who waits for messages must not end.
    if (process.listenerCount("message") === 0) process.channel?.unref();
  }

  /** Aborted by the first wish to stop. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  readonly #received = (): void => {
    const nowMs = this.#nowMs();
    if (this.#firstAtMs === undefined) {
      this.#firstAtMs = nowMs;
      this.#stop.abort();
    } else if (nowMs - this.#firstAtMs > togetherMs) {
      this.#onSecond();
    }
  };

  [Symbol.dispose](): void {
    for (const name of stopping) process.off(name, this.#received);
    process.off("disconnect", this.#received);
  }
}
