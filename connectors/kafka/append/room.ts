/**
 * Lets in as many bytes as there is room for, in the order in which they come. What is larger than
 * all of it comes in alone.
 */
export class Room {
  readonly #bytesMax: number;
  readonly #waiting: { readonly bytes: number; readonly enter: () => void }[] = [];
  #taken = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  async take(bytes: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(bytes)) {
      this.#taken += bytes;
      return;
    }
    await new Promise<void>((enter) => this.#waiting.push({ bytes, enter }));
  }

  give(bytes: number): void {
    this.#taken -= bytes;
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || !this.#fits(first.bytes)) return;
      this.#waiting.shift();
      this.#taken += first.bytes;
      first.enter();
    }
  }

  #fits(bytes: number): boolean {
    return this.#taken === 0 || this.#taken + bytes <= this.#bytesMax;
  }
}
