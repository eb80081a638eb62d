import type { ServerResponse } from "node:http";

import type { ApiOptions } from "../options.ts";
import type { Outlet } from "./subscription.ts";
import { sseFrame } from "./update.ts";

/** An outlet that writes server-sent events into a response whose head has been written. */
export function sseOutlet(
  response: ServerResponse,
  limits: Pick<ApiOptions, "listenerBytesMax" | "streamEndMs">,
): Outlet {
  const send = (text: string): boolean => {
    if (response.writableLength > limits.listenerBytesMax) return false;
    if (!response.destroyed) response.write(text);
    return true;
  };
  return {
    update: (update) => send(update.sse),
    // A frame without data sets the reader's last id and tells it nothing.
    hello: (id) => send(`id: ${id}\n\n`),
    reset: (id, reason) => send(sseFrame({ id, event: "reset", data: { reason } })),
    heartbeat: () => send(": alive\n\n"),
    end: (code, reason) => endStream(response, { code, reason }, limits),
    drained: () => drained(response),
  };
}

/** Says why a stream ends, then ends it. */
export function endStream(
  response: ServerResponse,
  data: { readonly code: string; readonly reason: string },
  { streamEndMs }: Pick<ApiOptions, "streamEndMs">,
): void {
  response.end(sseFrame({ event: "end", data }));
  // A reader that takes nothing more would keep the server from closing.
  const timer = setTimeout(() => response.destroy(), streamEndMs);
  response.once("close", () => clearTimeout(timer));
}

/** Resolves when what was sent has left, or the socket is closed. */
export function drained(response: ServerResponse): Promise<void> {
  if (!response.writableNeedDrain || response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}
