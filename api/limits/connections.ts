import type { Server } from "node:http";
import type { Socket } from "node:net";

import type { ConnectionBounds } from "../options.ts";
import { type Problem, retryAfter } from "../problem.ts";
import { clientOf } from "./client.ts";
import { ClientCounts } from "./client-counts.ts";

type Bounds = Pick<
  ConnectionBounds,
  "connectionsMax" | "refusedConnectionsMax" | "clientConnectionsMax"
>;

/**
 * Counts connections, in all and by client. One above a bound is not cut at once: its first request
 * is answered with the reason, and then it is closed. Those that send nothing are closed when the
 * time for headers is up, and above `refusedConnectionsMax` of them a connection is closed as soon
 * as it is accepted.
 */
export class Connections {
  readonly #bounds: Bounds;
  readonly #byClient = new ClientCounts();
  readonly #refusals = new WeakMap<Socket, Problem>();
  /** The same by `addressOf`, for what TLS makes of a connection. */
  readonly #refusalsByAddress = new Map<string, Problem>();
  #taken = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** Counts the connections of a server from now on. */
  watch(server: Server): void {
    const bounds = this.#bounds;
    server.maxConnections = bounds.connectionsMax + bounds.refusedConnectionsMax;
    server.on("connection", (socket: Socket) => this.#count(socket));
    // Requests come from another socket then, which knows the counted one by its address alone.
    server.on("secureConnection", (socket: Socket) => {
      const refusal = this.#refusalsByAddress.get(addressOf(socket));
      if (refusal !== undefined) this.#refusals.set(socket, refusal);
    });
  }

  /** Why requests of this connection are refused; undefined: they are not. */
  refusalOf(socket: Socket): Problem | undefined {
    return this.#refusals.get(socket);
  }

  #count(socket: Socket): void {
    const client = clientOf(socket.remoteAddress);
    const refusal = this.#refusal(this.#byClient.of(client));
    if (refusal !== undefined) {
      this.#refuse(socket, refusal);
      return;
    }
    this.#taken += 1;
    const forget = this.#byClient.add(client);
    socket.once("close", () => {
      this.#taken -= 1;
      forget();
    });
  }

  #refuse(socket: Socket, refusal: Problem): void {
    const address = addressOf(socket);
    this.#refusals.set(socket, refusal);
    this.#refusalsByAddress.set(address, refusal);
    socket.once("close", () => this.#refusalsByAddress.delete(address));
  }

  #refusal(ofClient: number): Problem | undefined {
    const { connectionsMax, clientConnectionsMax } = this.#bounds;
    if (ofClient >= clientConnectionsMax) {
      return {
        status: 429,
        code: "too-many-client-connections",
        detail: `This address has ${clientConnectionsMax} connections open, which is the most. Close some, or use those.`,
        headers: closing,
      };
    }
    if (this.#taken < connectionsMax) return undefined;
    return {
      status: 503,
      code: "too-many-connections",
      detail: `The server has ${connectionsMax} connections open, which is the most. Try again in a moment.`,
      headers: closing,
    };
  }
}

const addressOf = ({ remoteAddress, remotePort }: Socket): string =>
  `${remoteAddress} ${remotePort}`;

const closing = { ...retryAfter(2), connection: "close" };
