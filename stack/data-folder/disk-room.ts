import { statfs } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

const MiB = 1024 * 1024;

/** The reserve is a share of the file system, within bounds. */
const reserveShare = 1 / 16;
const reserveMinBytes = 32 * MiB;
const reserveMaxBytes = 256 * MiB;
/** There is room again only when so many reserves are free: otherwise it would flutter. */
const againFactor = 1.5;

export interface DiskRoomOptions {
  readonly folder: string;
  readonly report: (message: string) => void;
  /** Time between two looks (default 250). */
  readonly everyMs?: number;
}

/**
 * Watches how much room the file system of a data folder has. Below a reserve it counts as full,
 * while there is still room for what is on its way: a server that can't write its log ends at once,
 * with everybody's transactions, and can't even start again.
 */
export class DiskRoom implements AsyncDisposable {
  readonly #options: DiskRoomOptions;
  readonly #stop = new AbortController();
  #full = false;
  #freeBytes = 0;
  #looking: Promise<void> = Promise.resolve();

  private constructor(options: DiskRoomOptions) {
    this.#options = options;
  }

  /** Looks once, and goes on looking until it is disposed of. */
  static async watch(options: DiskRoomOptions): Promise<DiskRoom> {
    const room = new DiskRoom(options);
    await room.#look();
    room.#looking = room.#watch();
    return room;
  }

  /** Too little is left to take on more work. */
  get full(): boolean {
    return this.#full;
  }

  /** At the last look; what is reserved for who administers the machine isn't counted. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Resolves when there is room, or at the abort. */
  async untilFree(signal: AbortSignal): Promise<void> {
    while (this.#full && !signal.aborted) await this.#pause(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#looking;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#pause(signal);
      // A look that fails leaves the last one standing: the next may tell.
      await this.#look().catch(() => undefined);
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { everyMs = 250 } = this.#options;
    await delay(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
  }

  async #look(): Promise<void> {
    const { folder, report } = this.#options;
    const { blocks, bavail, bsize } = await statfs(folder);
    const freeBytes = bavail * bsize;
    this.#freeBytes = freeBytes;
    const reserveBytes = reserveOf(blocks * bsize);
    const full = freeBytes < reserveBytes * (this.#full ? againFactor : 1);
    if (full === this.#full) return;
    this.#full = full;
    const free = `${Math.floor(freeBytes / MiB)} MB are free below ${folder}`;
    report(
      full
        ? `The disk is full: ${free}, and ${Math.floor(reserveBytes / MiB)} MB are kept in reserve. ` +
            "Commands are refused until there is room again."
        : `There is room again: ${free}. Commands are taken.`,
    );
  }
}

/** Bytes that are left to the server for what is on its way. */
function reserveOf(totalBytes: number): number {
  return Math.min(reserveMaxBytes, Math.max(reserveMinBytes, totalBytes * reserveShare));
}
