/** How many of something each client has: those that have none take no memory. */
export class ClientCounts {
  readonly #counts = new Map<string, number>();

  of(client: string): number {
    return this.#counts.get(client) ?? 0;
  }

  /** One more; the answer takes it back, and must be called once. */
  add(client: string): () => void {
    this.#counts.set(client, this.of(client) + 1);
    return () => {
      const left = this.of(client) - 1;
      if (left === 0) this.#counts.delete(client);
      else this.#counts.set(client, left);
    };
  }
}
