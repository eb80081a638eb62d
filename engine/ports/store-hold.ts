/**
 * An import's hold on the event store. While it lasts, commands of others are refused (`held`),
 * processors go on, and every append (theirs too) is recorded at the hold's clock. The hold is a
 * row of the store: it outlives its holder's crash, so that times stay historical until the import
 * is run again or abandoned.
 */
export interface StoreHold {
  /**
   * Takes the hold, or takes it up again under the same name.
   * @throws FatalError `held` when somebody else has it and is alive, or under another name.
   */
  acquire(name: string, clockMs: number): Promise<void>;
  /** Moves the clock on; never back. Appends that begin afterwards are recorded at this time. */
  setClock(clockMs: number): Promise<void>;
  /** Gives the store back to the database's clock. */
  release(): Promise<void>;
  current(): Promise<{ readonly name: string; readonly clockMs: number } | undefined>;
}
