/**
 * The other side of `listeners`: a process of its own that holds thousands of streams open, each on
 * one module, and notes when it learns of how many seats.
 */
import { connect, type Socket } from "node:net";

export type StreamKind = "events" | "websocket";

/** From the measuring process. */
export type ToListening =
  | {
      readonly kind: "open";
      readonly url: string;
      readonly stream: StreamKind;
      readonly modules: readonly string[];
    }
  | {
      readonly kind: "judge";
      /** By module: when each seat that was heard of was answered for, in Unix milliseconds. */
      readonly answeredAtMs: AnsweredAtMs;
      /** The same of seats that were taken before anybody listened. */
      readonly before: AnsweredAtMs;
    };

type AnsweredAtMs = Readonly<Record<string, readonly number[]>>;

/** To the measuring process. */
export type FromListening =
  | { readonly kind: "opened" }
  | { readonly kind: "failed"; readonly reason: string }
  | {
      readonly kind: "judged";
      /** Seats that a listener never heard of. */
      readonly missed: number;
      readonly messages: number;
      /** That one listener had within one second. */
      readonly mostInASecond: number;
      /** By how much updates of one listener came sooner than `updatesPerSecond` allows, at most. */
      readonly earlyMs: number;
      /** From the answer to the listener, in milliseconds, by how many percent have at most that. */
      readonly percentiles: Readonly<Record<string, number>>;
    };

/** Streams that are being opened at once. */
const openingMax = 200;
const percents = [50, 99, 100];

const nowMs = (): number => performance.timeOrigin + performance.now();

/** Of one module, to one stream. */
const updatesPerSecond = 4;
/** Whatever an update is wrapped in, its seats stand in this order. */
const seats = /"held":(\d+),"confirmed":(\d+),/g;
const upgrade =
  "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n" +
  "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const openings = {
  events: { path: "/registration-updates", headers: "", answer: "HTTP/1.1 200" },
  websocket: { path: "/ws/registration-updates", headers: upgrade, answer: "HTTP/1.1 101" },
} as const;

/** One stream; it parses no more of HTTP and of the frames than what it notes. */
class Listener {
  readonly module: string;
  /** Seats that were taken, and when that was heard; both grow. */
  readonly heard: { readonly taken: number; readonly atMs: number }[] = [];
  #rest = "";

  constructor(module: string) {
    this.module = module;
  }

  open(url: URL, kind: StreamKind): Promise<void> {
    const { path, headers, answer } = openings[kind];
    return new Promise((resolve, reject) => {
      const socket: Socket = connect({ host: url.hostname, port: Number(url.port) });
      socket.setEncoding("latin1");
      socket.write(
        `GET ${path}?module=${encodeURIComponent(this.module)} HTTP/1.1\r\n` +
          `host: ${url.host}\r\n${headers}\r\n`,
      );
      socket.once("data", (head: string) => {
        if (head.startsWith(answer)) resolve();
        else reject(new Error(`A stream was answered ${head.slice(0, 200)}.`));
      });
      socket.on("data", (text: string) => this.#take(text));
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("A stream was closed.")));
    });
  }

  /** The updates that one listener had within one second, at most. */
  mostInASecond(): number {
    let first = 0;
    let most = 0;
    for (const [index, { atMs }] of this.heard.entries()) {
      while (atMs - (this.heard[first]?.atMs ?? atMs) >= 1_000) first += 1;
      most = Math.max(most, index - first + 1);
    }
    return most;
  }

  /**
   * How much sooner updates came than if each had waited for its turn: the generic cell rate
   * algorithm (ITU-T I.371). What is sent often enough apart comes early only by as much as those
   * before it were late.
   */
  earlyMs(): number {
    let dueMs = Number.NEGATIVE_INFINITY;
    let early = 0;
    for (const { atMs } of this.heard) {
      early = Math.max(early, dueMs - atMs);
      dueMs = Math.max(dueMs, atMs) + 1_000 / updatesPerSecond;
    }
    return early;
  }

  #take(text: string): void {
    const all = this.#rest + text;
    let end = 0;
    for (const found of all.matchAll(seats)) {
      this.heard.push({ taken: Number(found[1]) + Number(found[2]), atMs: nowMs() });
      end = found.index + found[0].length;
    }
    this.#rest = all.slice(end);
  }
}

const listeners: Listener[] = [];

async function open({ url, stream, modules }: ToListening & { kind: "open" }): Promise<void> {
  const waiting = modules.map((module) => new Listener(module));
  listeners.push(...waiting);
  const to = new URL(url);
  const one = async (): Promise<void> => {
    for (let next = waiting.pop(); next; next = waiting.pop()) await next.open(to, stream);
  };
  await Promise.all(Array.from({ length: openingMax }, one));
}

function judge({ answeredAtMs, before }: ToListening & { kind: "judge" }): FromListening {
  const tookMs: number[] = [];
  let missed = 0;
  let messages = 0;
  for (const { module, heard } of listeners) {
    messages += heard.length;
    let at = 0;
    const taken = before[module]?.length ?? 0;
    for (const [index, answered] of (answeredAtMs[module] ?? []).entries()) {
      while ((heard[at]?.taken ?? Number.POSITIVE_INFINITY) <= taken + index) at += 1;
      const told = heard[at];
      if (told === undefined) missed += 1;
      else tookMs.push(Math.max(0, told.atMs - answered));
    }
  }
  tookMs.sort((one, other) => one - other);
  const percentile = (percent: number): number =>
    tookMs[Math.max(1, Math.ceil((percent / 100) * tookMs.length)) - 1] ?? Number.NaN;
  const percentiles = Object.fromEntries(percents.map((one) => [one, percentile(one)]));
  const mostInASecond = Math.max(...listeners.map((listener) => listener.mostInASecond()));
  const earlyMs = Math.max(...listeners.map((listener) => listener.earlyMs()));
  return { kind: "judged", missed, messages, mostInASecond, earlyMs, percentiles };
}

const tell = (message: FromListening): void => void process.send?.(message);

process.on("message", (message: ToListening) => {
  if (message.kind === "judge") return tell(judge(message));
  open(message).then(
    () => tell({ kind: "opened" }),
    (error: unknown) => tell({ kind: "failed", reason: String(error) }),
  );
});
