/**
 * Every code that a problem of this API carries, with its status and what it means. Clients decide
 * by the code; the documentation is made of this list.
 */
export const problemCodes = {
  validation: [400, "A part of the request doesn't fit its schema; `errors` says where."],
  "url-invalid": [400, "The path can't be decoded, or has an id that no module or person has."],
  "http-invalid": [400, "What came is not HTTP."],
  "json-invalid": [400, "The body is not JSON, or names a key that is refused (`__proto__`)."],
  "content-length-invalid": [400, "The body is shorter or longer than its Content-Length."],
  "bad-request": [400, "The request can't be understood."],
  "cursor-invalid": [400, "The cursor was not given by this list."],
  "at-invalid": [400, "`at` is no ISO 8601 time with a zone."],
  "at-in-future": [400, "`at` lies ahead of the store's clock."],
  "wait-for-invalid": [400, "`Refold-Wait-For` is no position that this store gave."],
  "last-event-id-invalid": [400, "`Last-Event-ID` is no id of an update."],
  "route-unknown": [404, "There is nothing at this path."],
  "module-unknown": [404, "The module is not on offer."],
  "registration-unknown": [404, "There is no such registration."],
  "method-not-allowed": [405, "The path has no such method; `Allow` names those that it has."],
  "request-timeout": [408, "The request was not sent whole in time; the connection is closed."],
  "already-registered": [409, "The student has a seat in the module."],
  "module-full": [409, "All seats are taken."],
  "registration-not-open": [409, "Registration for the module has not begun."],
  "registration-closed": [409, "Registration for the module has ended."],
  "registration-cancelled": [409, "The registration has ended."],
  "student-module-limit": [409, "The student has as many modules as one may have."],
  "waitlist-not-supported": [409, "The module has no waiting list."],
  "at-not-settled": [409, "Events may still be recorded at this time."],
  "body-too-large": [413, "The body has more bytes than are taken."],
  "url-too-long": [414, "The URL has more bytes than are taken."],
  "query-too-long": [414, "The query string has more bytes than are taken."],
  "media-type-unsupported": [415, "The body is not `application/json`."],
  "upgrade-required": [426, "The route speaks WebSocket."],
  "too-many-requests": [429, "The client's address has spent its requests for now."],
  "too-many-client-connections": [429, "The client's address has too many connections open."],
  "too-many-client-listeners": [429, "The client's address has too many update streams open."],
  "headers-too-large": [431, "The request's headers have more bytes than are taken."],
  internal: [500, "The server met an error that it did not expect."],
  "not-ready": [503, "What this needs has not been built or caught up yet."],
  unavailable: [503, "A server behind this one does not answer."],
  behind: [503, "The read model has not reached the position that was asked for in time."],
  draining: [503, "The server is closing."],
  overloaded: [503, "The server is behind with its work; reads are refused before commands."],
  "answer-timeout": [503, "No answer in time. What a command has done is unknown: ask."],
  "storage-full": [
    503,
    "The store's disk is full: commands wait until there is room; reads go on.",
  ],
  "import-in-progress": [503, "An import holds the store: commands wait until it has finished."],
  "too-many-connections": [503, "The server has as many connections open as it takes."],
  "too-many-listeners": [503, "The server has as many update streams open as it takes."],
  "too-many-replays": [503, "Too many update streams are being resumed."],
} as const satisfies Readonly<Record<string, readonly [status: number, meaning: string]>>;

export type ProblemCode = keyof typeof problemCodes;

export const statusOf = (code: ProblemCode): number => problemCodes[code][0];
export const meaningOf = (code: ProblemCode): string => problemCodes[code][1];
