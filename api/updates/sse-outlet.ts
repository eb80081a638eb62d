import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";

import { writeEvent } from "../event-stream.ts";
import type { ApiOptions } from "../options.ts";
import type { Outlet } from "./subscription.ts";
import { sseFrame } from "./update.ts";

/** An outlet that writes server-sent events into a response whose head has been written. */
export function sseOutlet(
  response: ServerResponse,
  limits: Pick<ApiOptions, "listenerBytesMax" | "streamEndMs">,
): Outlet {
  const isSlow = () => response.writableLength > limits.listenerBytesMax;
  const send = (text: string): boolean => {
    if (isSlow()) return false;
    if (!response.destroyed) response.write(text);
    return true;
  };
  return {
    update: (update) => {
      if (isSlow()) return false;
      writeEvent(response, update);
      return true;
    },
    // A frame without data sets the reader's last id and tells it nothing.
    hello: (id) => send(`id: ${id}\n\n`),
    reset: (id, reason) => send(sseFrame({ id, event: "reset", data: { reason } })),
    heartbeat: () => send(": alive\n\n"),
    end: (code, reason) => endStream(response, { code, reason }, limits),
    drained: () => drained(response.socket ?? response),
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
export function drained(to: Writable): Promise<void> {
  if (!to.writableNeedDrain || to.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      to.off("drain", done);
      to.off("close", done);
      resolve();
    };
    to.on("drain", done);
    to.on("close", done);
  });
}
