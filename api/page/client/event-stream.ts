import { type Problem, problemOf, unreachable } from "./backend.ts";

/** How a stream stands with its server. */
export type Link =
  | { readonly state: "open" }
  /** What is shown is as old as `sinceMs` says, if anything was ever shown. */
  | { readonly state: "connecting" | "waiting"; readonly sinceMs: number; readonly why: string }
  | { readonly state: "closed" };

export interface StreamEvent {
  readonly event: string;
  readonly data: unknown;
}

export interface StreamOptions {
  readonly path: string;
  readonly headers: () => Record<string, string>;
  /** The server gives a sign of life more often than this. */
  readonly silentMs: number;
  /** Called at each opening, before any event. */
  readonly onOpen: () => void;
  readonly onEvent: (event: StreamEvent) => void;
  readonly onLink: (link: Link) => void;
  /** A refusal that no retry helps against ends the stream. */
  readonly onRefused: (problem: Problem) => "retry" | "stop";
}

const retryMs = { first: 250, most: 5_000 };

/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), read with
 * `fetch`: a browser's own EventSource sends no Authorization header, gives up for good at a 503,
 * and can't tell a silent connection from a quiet one.
 */
export class EventStream {
  readonly #options: StreamOptions;
  readonly #stop = new AbortController();
  #lastId = "";
  /** Since when what is shown may be old. */
  #sinceMs = Date.now();
  #isOpen = false;
  #pauseMs = retryMs.first;

  constructor(options: StreamOptions) {
    this.#options = options;
    // Not at once: whoever makes it isn't done before it tells of itself.
    queueMicrotask(() => void this.#run());
  }

  close(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const { onLink } = this.#options;
    onLink({ state: "connecting", sinceMs: this.#sinceMs, why: "" });
    while (!this.#stop.signal.aborted) {
      const problem = await this.#readOnce();
      if (this.#stop.signal.aborted) break;
      if (problem.status !== 0 && this.#options.onRefused(problem) === "stop") break;
      onLink({ state: "waiting", sinceMs: this.#sinceMs, why: problem.detail });
      await this.#pause();
    }
    onLink({ state: "closed" });
  }

  /** Spread, so that the pages of a whole room don't come back in one moment. */
  async #pause(): Promise<void> {
    const ms = this.#pauseMs * (0.5 + Math.random());
    this.#pauseMs = Math.min(this.#pauseMs * 2, retryMs.most);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#stop.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Ends when the connection does; the answer says why. */
  async #readOnce(): Promise<Problem> {
    const { path, headers, silentMs } = this.#options;
    const attempt = new AbortController();
    const abort = () => attempt.abort();
    this.#stop.signal.addEventListener("abort", abort);
    let timer = setTimeout(abort, silentMs);
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(abort, silentMs);
    };
    try {
      const resume = this.#lastId === "" ? {} : { "last-event-id": this.#lastId };
      const response = await fetch(path, {
        headers: { accept: "text/event-stream", ...headers(), ...resume },
        cache: "no-store",
        credentials: "omit",
        signal: attempt.signal,
      });
      if (!response.ok || response.body === null) return await this.#refusal(response);
      this.#opened();
      await this.#read(response.body, alive);
      return unreachable;
    } catch {
      return unreachable;
    } finally {
      clearTimeout(timer);
      this.#stop.signal.removeEventListener("abort", abort);
      if (this.#isOpen) this.#sinceMs = Date.now();
      this.#isOpen = false;
    }
  }

  async #refusal(response: Response): Promise<Problem> {
    const problem = await problemOf(response);
    // The place is too old, or of another server's life: begin anew, with everything asked again.
    if (problem.code === "last-event-id-invalid") this.#lastId = "";
    return problem;
  }

  #opened(): void {
    this.#isOpen = true;
    this.#options.onOpen();
    this.#options.onLink({ state: "open" });
  }

  async #read(body: ReadableStream<Uint8Array>, alive: () => void): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      this.#pauseMs = retryMs.first;
      const frames = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = frames.pop() ?? "";
      for (const frame of frames) this.#frame(frame);
    }
  }

  #frame(frame: string): void {
    let event = "message";
    let data = "";
    for (const line of frame.split("\n")) {
      const at = line.indexOf(":");
      const field = at < 0 ? line : line.slice(0, at);
      const value = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");
      if (field === "id") this.#lastId = value;
      else if (field === "event") event = value;
      else if (field === "data") data += value;
    }
    if (data !== "") this.#options.onEvent({ event, data: JSON.parse(data) as unknown });
  }
}
