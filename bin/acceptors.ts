import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

export interface AcceptorsOptions {
  /** What speaks on the connections; it listens already, with `reusePort`. */
  readonly server: Server;
  /** Listeners beside its own. */
  readonly count: number;
  /** Told when a listener, or the server itself, can't accept a connection or has closed. */
  readonly report: (message: string) => void;
}

/** Pause between two reports of one listener: where nothing can be accepted, everything fails. */
const reportEveryMs = 10_000;

/**
 * Whether one port can have several listeners, among whom the system spreads connections. (Elsewhere
 * the option of that name means something else, or is refused.)
 */
export const canShareAPort = process.platform === "linux";

/**
 * Listeners on a server's port that hand it their connections.
 *
 * A listener accepts one connection in each turn of the event loop (libuv, since its version 1.45).
 * Turns of a busy process take tens of milliseconds, so that with one listener some ten new clients a
 * second would be let in, and the others wait in the system's queue, unseen, until they give up.
 */
export class Acceptors implements AsyncDisposable {
  readonly #server: Server;
  readonly #listeners: Server[] = [];
  readonly #report: (message: string) => void;
  readonly #where: string;
  #open = 0;
  #closing = false;

  private constructor({ server, report }: Omit<AcceptorsOptions, "count">) {
    const { address, port } = server.address() as AddressInfo;
    this.#server = server;
    this.#report = report;
    this.#where = `${address} port ${port}`;
    this.#watch(server);
    server.on("connection", (socket: Socket) => {
      this.#open += 1;
      socket.once("close", () => void (this.#open -= 1));
    });
  }

  static async beside({ count, ...rest }: AcceptorsOptions): Promise<Acceptors> {
    const acceptors = new Acceptors(rest);
    try {
      for (let made = 0; made < count; made += 1) await acceptors.#listen();
    } catch (error) {
      await acceptors[Symbol.asyncDispose]();
      throw error;
    }
    return acceptors;
  }

  /** Accepts nothing more; resolves when the connections that were accepted here have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    await Promise.all(
      this.#listeners.map((listener) => new Promise((resolve) => listener.close(resolve))),
    );
  }

  async #listen(): Promise<void> {
    const { address, port } = this.#server.address() as AddressInfo;
    // As Node's HTTP server has its own listener: a client may end its half before the answer.
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#hand(socket),
    );
    this.#listeners.push(listener);
    await new Promise<void>((resolve, reject) => {
      listener.once("error", reject);
      listener.listen({ host: address, port, reusePort: true }, () => {
        listener.removeListener("error", reject);
        resolve();
      });
    });
    this.#watch(listener);
  }

  /** An error that nobody listens to would end the process, and a closed listener go unnoticed. */
  #watch(listener: Server): void {
    let reportedMs = Number.NEGATIVE_INFINITY;
    listener.on("error", (error) => {
      const nowMs = performance.now();
      if (nowMs - reportedMs < reportEveryMs) return;
      reportedMs = nowMs;
      this.#report(cannotAccept(this.#where, error));
    });
    listener.once("close", () => {
      if (!this.#closing) this.#report(hasClosed(this.#where));
    });
  }

  /** The server's own maximum counts those that it has accepted itself. */
  #hand(socket: Socket): void {
    if (this.#open >= this.#server.maxConnections) socket.destroy();
    else this.#server.emit("connection", socket);
  }
}

const cannotAccept = (where: string, error: NodeJS.ErrnoException): string =>
  `A listener on ${where} can't accept a connection: ${error.message}. ` +
  (error.code === "EMFILE" || error.code === "ENFILE"
    ? "Too many files and connections are open: raise the limit (ulimit -n), or lower connectionsMax."
    : "The others go on; restart the process when clients can't connect.");

const hasClosed = (where: string): string =>
  `A listener on ${where} has closed by itself: fewer connections are accepted at a time, or none. ` +
  "Restart the process.";
