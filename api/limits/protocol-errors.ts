import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import { type Problem, problemText } from "../problem.ts";

/**
 * Answers what never became a request, because it is no HTTP, too large, or took too long to
 * arrive, and closes the connection: where the next request would begin is not known.
 */
export function answerProtocolError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  // An answer on its way would be cut in two by this one.
  if (!socket.writable || socket.writableLength > 0) {
    socket.destroy();
    return;
  }
  socket.end(responseOf(problemOfProtocol(error.code)), () => socket.destroySoon());
}

function problemOfProtocol(code: string | undefined): Problem {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return {
        status: 431,
        code: "headers-too-large",
        detail: "The request line and headers have more bytes than are taken.",
      };
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return {
        status: 413,
        code: "body-too-large",
        detail: "The chunk extensions have more bytes than are taken.",
      };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return {
        status: 408,
        code: "request-timeout",
        detail: "The request did not arrive whole in time.",
      };
    default:
      return {
        status: 400,
        code: "http-invalid",
        detail: "What came is not HTTP as RFC 9112 has it.",
      };
  }
}

function responseOf(problem: Problem): string {
  const body = problemText("", problem);
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    "content-type: application/problem+json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
    "",
    body,
  ].join("\r\n");
}
