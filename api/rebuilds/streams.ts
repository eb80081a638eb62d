import type { ServerResponse } from "node:http";

import type { FastifyBaseLogger } from "fastify";

import type { Clock } from "../../engine/ports/clock.ts";
import type { RebuildAdministration } from "../dependencies.ts";
import type { ApiOptions } from "../options.ts";
import type { EndingOutlet, SessionEndCode } from "../access/streams.ts";
import { drained, endStream } from "../updates/sse-outlet.ts";
import { sseFrame } from "../updates/update.ts";
import { rebuildShape } from "./shape.ts";
import { watchRebuild } from "./watch.ts";

export interface RebuildStreamsOptions {
  readonly admin: RebuildAdministration;
  readonly deps: { readonly clock: Clock };
  readonly options: Pick<ApiOptions, "streamEndMs" | "heartbeatMs">;
  readonly logger: FastifyBaseLogger;
}

/** Streams of rebuilds' records; each is as fast as its reader, and leaves out what comes between. */
export class RebuildStreams implements Disposable {
  readonly #options: RebuildStreamsOptions;
  readonly #draining = new AbortController();
  #open = 0;

  constructor(options: RebuildStreamsOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#open;
  }

  /** Tells of a rebuild in a response whose head has been written; the answer ends it early. */
  serve(id: bigint, response: ServerResponse): EndingOutlet {
    this.#open += 1;
    const closed = new AbortController();
    response.once("close", () => {
      this.#open -= 1;
      closed.abort();
    });
    void this.#tell(id, { response, signal: closed.signal });
    return { end: (code, reason) => closed.abort(new StreamEnding(code, reason)) };
  }

  /** Ends them all. */
  [Symbol.dispose](): void {
    this.#draining.abort();
  }

  async #tell(id: bigint, to: { response: ServerResponse; signal: AbortSignal }): Promise<void> {
    const { options, logger, admin } = this.#options;
    const { response } = to;
    using _ = this.#heartbeat(response);
    const end = (code: string, reason: string) => endStream(response, { code, reason }, options);
    const signal = AbortSignal.any([to.signal, this.#draining.signal]);
    try {
      for await (const record of watchRebuild(id, { ...admin, signal })) {
        response.write(sseFrame({ event: "rebuild", data: rebuildShape(record) }));
        await drained(response);
      }
      const { reason } = to.signal as { readonly reason: unknown };
      if (reason instanceof StreamEnding) end(reason.code, reason.message);
      else if (this.#draining.signal.aborted) end("draining", "The server is closing.");
      else end("over", "Nothing more comes of this rebuild by itself.");
    } catch (error) {
      logger.error({ err: error, rebuild: String(id) }, "a rebuild can't be followed");
      end("failed", "The rebuild's record can't be read.");
    }
  }

  #heartbeat(response: ServerResponse): Disposable {
    const { heartbeatMs } = this.#options.options;
    const timer = setInterval(() => response.write(": alive\n\n"), heartbeatMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }
}

/** Why a stream is ended before its rebuild is over. */
class StreamEnding extends Error {
  readonly code: SessionEndCode;

  constructor(code: SessionEndCode, reason: string) {
    super(reason);
    this.code = code;
  }
}
