import { get, type IncomingMessage } from "node:http";

import { onTestFinished } from "vitest";

/** One server-sent event, as a browser would see it. */
export interface SentEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: unknown;
}

/** A client of server-sent events that keeps what it gets. */
export class EventReader {
  readonly events: SentEvent[] = [];
  readonly response: IncomingMessage;
  comments = 0;
  lastId: string | undefined;
  ended = false;
  #rest = "";

  private constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding("utf8");
    response.on("data", (text: string) => this.#take(text));
    response.on("error", () => undefined);
    response.on("close", () => (this.ended = true));
  }

  static open(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
    return new Promise((resolve, reject) => {
      const request = get(url, { headers, agent: false }, (response) => {
        resolve(new EventReader(response));
      });
      request.on("error", reject);
      onTestFinished(() => void request.destroy());
    });
  }

  #take(text: string): void {
    const frames = `${this.#rest}${text}`.split("\n\n");
    this.#rest = frames.pop() ?? "";
    for (const frame of frames) this.#frame(frame.split("\n"));
  }

  #frame(lines: readonly string[]): void {
    const field = (name: string) =>
      lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    if (lines.some((line) => line.startsWith(":"))) this.comments += 1;
    const id = field("id");
    this.lastId = id ?? this.lastId;
    const data = field("data");
    if (data === undefined) return;
    this.events.push({ id, event: field("event") ?? "message", data: JSON.parse(data) });
  }
}
