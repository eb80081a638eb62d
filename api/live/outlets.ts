import type { ServerResponse } from "node:http";

import type { WebSocket } from "@fastify/websocket";

import { sessionCloseCodes } from "../access/streams.ts";
import type { ApiOptions } from "../options.ts";
import { endStream } from "../updates/sse-outlet.ts";
import type { LiveEndCode, LiveListener, LiveMessage } from "./live-feed.ts";

type Limits = Pick<ApiOptions, "listenerBytesMax" | "streamEndMs">;

const tooSlow = "frames are taken slower than they come";

/** As server-sent events: `frame`, `trouble`, `end`. */
export function liveEvents(response: ServerResponse, limits: Limits): LiveListener {
  const end = (code: LiveEndCode, reason: string) => endStream(response, { code, reason }, limits);
  return {
    end,
    tell: ({ sse }: LiveMessage) => {
      if (response.destroyed || response.writableEnded) return;
      if (response.writableLength > limits.listenerBytesMax) end("slow-reader", tooSlow);
      else response.write(sse);
    },
  };
}

/** Close codes of RFC 6455 and its registry, and this application's own. */
const closeCodes: Readonly<Record<LiveEndCode, number>> = {
  draining: 1001,
  "slow-reader": 1013,
  ...sessionCloseCodes,
};

/** As WebSocket messages: `{ event, data }`. */
export function liveMessages(socket: WebSocket, limits: Limits): LiveListener {
  const end = (code: LiveEndCode, reason: string) => {
    socket.close(closeCodes[code], `${code}: ${reason}`);
    const timer = setTimeout(() => socket.terminate(), limits.streamEndMs);
    socket.once("close", () => clearTimeout(timer));
  };
  return {
    end,
    tell: ({ text }) => {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > limits.listenerBytesMax) end("slow-reader", tooSlow);
      else socket.send(text);
    },
  };
}
