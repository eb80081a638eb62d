/**
 * The other side of `listeners`: a process of its own that holds thousands of event streams open,
 * each on one module, and notes when it learns of how many seats.
 */
import { connect } from "node:net";

/** From the measuring process. */
export type ToListening =
  | { readonly kind: "open"; readonly url: string; readonly modules: readonly string[] }
  /** By module: when the first, second, ... seat was answered for, in Unix milliseconds. */
  | { readonly kind: "judge"; readonly answeredAtMs: Readonly<Record<string, readonly number[]>> };

/** To the measuring process. */
export type FromListening =
  | { readonly kind: "opened" }
  | { readonly kind: "failed"; readonly reason: string }
  | {
      readonly kind: "judged";
      /** Seats that a listener never heard of. */
      readonly missed: number;
      readonly messages: number;
      /** From the answer to the listener, in milliseconds, by how many percent have at most that. */
      readonly percentiles: Readonly<Record<string, number>>;
    };

/** Streams that are being opened at once. */
const openingMax = 200;
const percents = [50, 99, 100];

const nowMs = (): number => performance.timeOrigin + performance.now();

/** One stream; it parses no more of HTTP and of the frames than what it notes. */
class Listener {
  readonly module: string;
  /** Seats that were taken, and when that was heard; both grow. */
  readonly heard: { readonly taken: number; readonly atMs: number }[] = [];
  #rest = "";

  constructor(module: string) {
    this.module = module;
  }

  open(url: URL): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: url.hostname, port: Number(url.port) });
      socket.setEncoding("latin1");
      socket.write(
        `GET /registration-updates?module=${encodeURIComponent(this.module)} HTTP/1.1\r\n` +
          `host: ${url.host}\r\n\r\n`,
      );
      socket.once("data", (head: string) => {
        if (head.startsWith("HTTP/1.1 200")) resolve();
        else reject(new Error(`A stream was answered ${head.slice(0, 200)}.`));
      });
      socket.on("data", (text: string) => this.#take(text));
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("A stream was closed.")));
    });
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const found = /^data: .*"held":(\d+),"confirmed":(\d+)/.exec(line);
      if (found) this.heard.push({ taken: Number(found[1]) + Number(found[2]), atMs: nowMs() });
    }
  }
}

const listeners: Listener[] = [];

async function open(url: string, modules: readonly string[]): Promise<void> {
  const waiting = modules.map((module) => new Listener(module));
  listeners.push(...waiting);
  const to = new URL(url);
  const one = async (): Promise<void> => {
    for (let next = waiting.pop(); next; next = waiting.pop()) await next.open(to);
  };
  await Promise.all(Array.from({ length: openingMax }, one));
}

function judge(answeredAtMs: Readonly<Record<string, readonly number[]>>): FromListening {
  const tookMs: number[] = [];
  let missed = 0;
  let messages = 0;
  for (const { module, heard } of listeners) {
    messages += heard.length;
    let at = 0;
    for (const [index, answered] of (answeredAtMs[module] ?? []).entries()) {
      while ((heard[at]?.taken ?? Number.POSITIVE_INFINITY) <= index) at += 1;
      const told = heard[at];
      if (told === undefined) missed += 1;
      else tookMs.push(Math.max(0, told.atMs - answered));
    }
  }
  tookMs.sort((one, other) => one - other);
  const percentile = (percent: number): number =>
    tookMs[Math.max(1, Math.ceil((percent / 100) * tookMs.length)) - 1] ?? Number.NaN;
  const percentiles = Object.fromEntries(percents.map((one) => [one, percentile(one)]));
  return { kind: "judged", missed, messages, percentiles };
}

const tell = (message: FromListening): void => void process.send?.(message);

process.on("message", (message: ToListening) => {
  if (message.kind === "judge") return tell(judge(message.answeredAtMs));
  open(message.url, message.modules).then(
    () => tell({ kind: "opened" }),
    (error: unknown) => tell({ kind: "failed", reason: String(error) }),
  );
});
