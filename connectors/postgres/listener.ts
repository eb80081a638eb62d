import { Client, type ClientConfig, type Pool } from "pg";

export interface ListenerOptions {
  /** Of the connection that listens: one of its own, not through a pooler. */
  readonly listen: ClientConfig;
  readonly channel: string;
  /** Called for each notification. */
  readonly onHeard: () => void;
  /** Called when listening has begun, or begun again: what came before wasn't heard. Default: `onHeard`. */
  readonly onListening?: () => void;
  readonly onLost?: () => void;
  readonly reconnectDelayMs?: number;
  readonly reconnectDelayMaxMs?: number;
}

/** As the pool connects, or to an address of its own where the pool's is a pooler's. */
export function listenConfig(
  { pool, listenUrl }: { readonly pool: Pool; readonly listenUrl?: string },
  what: string,
): ClientConfig {
  const config: ClientConfig = listenUrl === undefined ? { ...pool.options } : {};
  return {
    ...config,
    ...(listenUrl === undefined ? {} : { connectionString: listenUrl }),
    application_name: `refold ${what} listener`,
    keepAlive: true,
  };
}

/** A connection that listens, and is made again whenever it breaks. */
export class Listener implements AsyncDisposable {
  readonly #options: ListenerOptions;
  #client: Client | undefined;
  #connecting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #delayMs: number;
  #closed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#delayMs = options.reconnectDelayMs ?? 100;
  }

  /** Listens from soon on; where it does or tries to already, nothing happens. */
  begin(): void {
    if (this.#client || this.#connecting || this.#timer || this.#closed) return;
    this.#connecting = this.#connect().finally(() => {
      this.#connecting = undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#connecting;
    await this.#client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    const client = new Client(this.#options.listen);
    client.on("error", () => undefined);
    client.on("notification", () => this.#options.onHeard());
    client.once("end", () => this.#lost(client));
    try {
      await client.connect();
      await client.query(`listen ${this.#options.channel}`);
    } catch {
      await client.end().catch(() => undefined);
      this.#reconnectLater();
      return;
    }
    this.#client = client;
    this.#delayMs = this.#options.reconnectDelayMs ?? 100;
    (this.#options.onListening ?? this.#options.onHeard)();
  }

  #lost(client: Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    if (this.#closed) return;
    this.#options.onLost?.();
    this.#reconnectLater();
  }

  #reconnectLater(): void {
    if (this.#closed || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.begin();
    }, this.#delayMs);
    const { reconnectDelayMaxMs = 5_000 } = this.#options;
    this.#delayMs = Math.min(this.#delayMs * 2, reconnectDelayMaxMs);
  }
}
