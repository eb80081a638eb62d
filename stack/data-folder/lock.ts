import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { DataFolderError } from "./errors.ts";

/** https://www.sqlite.org/rescode.html */
const sqlite = { busy: 5, notADatabase: 26 } as const;

/**
 * A lock on a data folder that lasts as long as its holder lives, however that ends: SQLite's
 * exclusive lock on the file `lock`, which the operating system releases with the process. A file
 * with a process id in it would be believed after a crash, and by a stranger with the same id.
 */
export class FolderLock implements Disposable {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * Takes the lock, or gives undefined when another process has it. `patienceMs` outlasts a process
   * that only looks whether the lock is held.
   */
  static tryAcquire(folder: string, patienceMs = 300): FolderLock | undefined {
    const path = join(folder, "lock");
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(path, { timeout: patienceMs });
      database.exec("pragma locking_mode = exclusive; begin exclusive");
      return new FolderLock(database);
    } catch (error) {
      database?.close();
      if ((error as { errcode?: number }).errcode === sqlite.busy) return undefined;
      throw new DataFolderError("broken", `${path} ${faultOf(error)}.`, { cause: error });
    }
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

function faultOf(error: unknown): string {
  const { errcode, message } = error as { errcode?: number; message: string };
  return errcode === sqlite.notADatabase
    ? "is not a lock file of Refold: remove it if nothing uses the folder, or choose another with --data"
    : `can't be opened (${message}): check that the folder exists and may be written`;
}
