/**
 * Puts a stream's chunks together to Kafka's frames: four bytes of length, then as many bytes. Each
 * frame is copied once, into memory of its own.
 */
export class Frames {
  readonly #bytesMax: number;
  readonly #onFrame: (frame: Buffer) => void;
  readonly #head = Buffer.alloc(4);
  #headFilled = 0;
  #frame: Buffer | undefined;
  #filled = 0;

  constructor(bytesMax: number, onFrame: (frame: Buffer) => void) {
    this.#bytesMax = bytesMax;
    this.#onFrame = onFrame;
  }

  /** @throws RangeError when a length can't be one. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#frame === undefined) {
        const taken = chunk.copy(this.#head, this.#headFilled, at);
        at += taken;
        this.#headFilled += taken;
        if (this.#headFilled === 4) this.#begin(this.#head.readInt32BE(0));
      } else {
        const taken = chunk.copy(this.#frame, this.#filled, at);
        at += taken;
        this.#filled += taken;
      }
      if (this.#frame !== undefined && this.#filled === this.#frame.length) this.#end(this.#frame);
    }
  }

  #begin(length: number): void {
    if (length < 0 || length > this.#bytesMax) {
      throw new RangeError(
        `An answer claims ${length} bytes, and at most ${this.#bytesMax} are taken. Is it a Kafka ` +
          "broker's port, and does TLS stand on both sides or on neither?",
      );
    }
    this.#frame = Buffer.allocUnsafeSlow(length);
    this.#filled = 0;
  }

  #end(frame: Buffer): void {
    this.#frame = undefined;
    this.#headFilled = 0;
    this.#onFrame(frame);
  }
}
