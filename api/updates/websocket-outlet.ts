import type { Socket } from "node:net";

import type { WebSocket } from "@fastify/websocket";

import type { ApiOptions } from "../options.ts";
import { drained } from "./sse-outlet.ts";
import type { Outlet } from "./subscription.ts";

/** Close codes of RFC 6455 and its registry: going away, internal error, try again later. */
const closeCodes = { draining: 1001, failed: 1011, "slow-reader": 1013 } as const;

export interface WebSocketOutletOptions {
  readonly webSocket: WebSocket;
  /** What the WebSocket runs on: an update is framed once for all and written past it. */
  readonly socket: Socket;
  readonly limits: Pick<ApiOptions, "listenerBytesMax" | "streamEndMs">;
}

/** An outlet that sends each update as one text message: `{ id, event, data }`. */
export function webSocketOutlet({ webSocket, socket, limits }: WebSocketOutletOptions): Outlet {
  const isOpen = () => webSocket.readyState === webSocket.OPEN;
  const isSlow = () => webSocket.bufferedAmount > limits.listenerBytesMax;
  const send = (message: object): boolean => {
    if (isSlow()) return false;
    if (isOpen()) webSocket.send(JSON.stringify(message));
    return true;
  };
  return {
    update: (update) => {
      if (isSlow()) return false;
      // The library writes a frame in one go, so what comes between its frames breaks none.
      if (isOpen()) socket.write(update.message);
      return true;
    },
    hello: (id) => send({ id, event: "hello", data: {} }),
    reset: (id, reason) => send({ id, event: "reset", data: { reason } }),
    heartbeat: () => {
      if (isOpen()) webSocket.ping();
      return !isSlow();
    },
    end: (code, reason) => {
      webSocket.close(closeCodes[code], `${code}: ${reason}`);
      const timer = setTimeout(() => webSocket.terminate(), limits.streamEndMs);
      webSocket.once("close", () => clearTimeout(timer));
    },
    drained: () => drained(socket),
  };
}
