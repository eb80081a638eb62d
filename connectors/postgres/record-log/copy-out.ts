import type { Connection, Submittable } from "pg";

/** What `pg`'s client does with the messages of a query of its own; its types leave them out. */
interface CopyHandlers {
  handleCopyData(message: { readonly chunk: Buffer }): void;
  handleCommandComplete(): void;
  handleReadyForQuery(): void;
  handleError(error: Error): void;
}

/**
 * `copy (...) to stdout (format binary)`, each row handed over as its bytes arrive: the one way to
 * get binary results out of `pg`. The server sends a row as one message; its bytes are the
 * parser's and are valid only during the call.
 */
export class CopyOut implements Submittable, CopyHandlers {
  readonly done: Promise<void>;
  readonly #text: string;
  readonly #row: (bytes: Buffer, at: number) => void;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #failure: unknown;
  #first = true;

  /** @param row Called with the message and where in it the row's fields begin. */
  constructor(text: string, row: (bytes: Buffer, at: number) => void) {
    this.#text = text;
    this.#row = row;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(connection: Connection): void {
    (connection as Connection & { query(text: string): void }).query(this.#text);
  }

  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    // The first message begins with the file's header: 11 bytes of signature, flags, and the
    // length of an extension (https://www.postgresql.org/docs/current/sql-copy.html).
    let at = 0;
    if (this.#first) {
      this.#first = false;
      at = 19 + chunk.readInt32BE(15);
    }
    if (this.#failure !== undefined || at + 2 > chunk.length) return;
    // A field count of -1 is the file's end.
    if (chunk.readInt16BE(at) < 0) return;
    try {
      this.#row(chunk, at + 2);
    } catch (error) {
      // The rest of the answer must still be taken in, or the connection would be unusable.
      this.#failure = error;
    }
  }

  handleCommandComplete(): void {
    // The answer counts when the server is ready again.
  }

  handleReadyForQuery(): void {
    if (this.#failure === undefined) this.#resolve();
    else this.#reject(this.#failure);
  }

  handleError(error: Error): void {
    this.#failure ??= error;
    this.#reject(this.#failure);
  }
}
