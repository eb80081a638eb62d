import type { WebSocket } from "@fastify/websocket";

import type { ApiOptions } from "../options.ts";
import type { Outlet } from "./subscription.ts";

/** Close codes of RFC 6455 and its registry: going away, internal error, try again later. */
const closeCodes = { draining: 1001, failed: 1011, "slow-reader": 1013 } as const;

/** An outlet that sends each update as one text message: `{ id, event, data }`. */
export function webSocketOutlet(
  socket: WebSocket,
  limits: Pick<ApiOptions, "listenerBytesMax" | "streamEndMs">,
): Outlet {
  let waiting: (() => void) | undefined;
  const release = () => {
    waiting?.();
    waiting = undefined;
  };
  socket.once("close", release);
  const send = (text: string): boolean => {
    if (socket.bufferedAmount > limits.listenerBytesMax) return false;
    if (socket.readyState === socket.OPEN) socket.send(text, release);
    return true;
  };
  return {
    update: (update) => send(update.message),
    hello: (id) => send(JSON.stringify({ id, event: "hello", data: {} })),
    reset: (id, reason) => send(JSON.stringify({ id, event: "reset", data: { reason } })),
    heartbeat: () => {
      if (socket.readyState === socket.OPEN) socket.ping();
      return socket.bufferedAmount <= limits.listenerBytesMax;
    },
    end: (code, reason) => {
      socket.close(closeCodes[code], `${code}: ${reason}`);
      const timer = setTimeout(() => socket.terminate(), limits.streamEndMs);
      socket.once("close", () => clearTimeout(timer));
    },
    drained: () =>
      socket.bufferedAmount === 0 || socket.readyState !== socket.OPEN
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting = resolve;
          }),
  };
}
