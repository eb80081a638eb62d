import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import type { DemoOptions } from "./options.ts";

/** Where the demo keeps its data: a folder of its own, which is gone afterwards, or a named one. */
export class DemoFolder implements AsyncDisposable {
  readonly data: string;
  /** What the server says. */
  readonly output: string;
  /** To be removed with all that is in it. */
  #temporary: string | undefined;

  private constructor(folder: string, temporary: string | undefined) {
    this.data = temporary === undefined ? folder : join(folder, "data");
    this.output = temporary === undefined ? `${folder}.log` : join(folder, "server.log");
    this.#temporary = temporary;
  }

  static async open({ data, keep }: DemoOptions): Promise<DemoFolder> {
    if (data !== undefined) return new DemoFolder(resolve(data), undefined);
    const folder = await mkdtemp(join(tmpdir(), "refold-demo-"));
    // The account that runs Postgres, where that isn't ours, must get to what is its own.
    await chmod(folder, 0o755);
    const made = new DemoFolder(folder, folder);
    if (keep) made.keepIt();
    return made;
  }

  keepIt(): void {
    this.#temporary = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#temporary === undefined) return;
    await rm(this.#temporary, { recursive: true, force: true, maxRetries: 3 });
  }
}
