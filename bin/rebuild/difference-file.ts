import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { once } from "node:events";
import { finished } from "node:stream/promises";

import type { DifferenceSink, OpenDifferenceSink } from "../../engine/ports/difference-sink.ts";
import { jsonOf } from "../log/printable.ts";

/**
 * Writes all differing rows of a proof into a file of its own in a folder, as JSON lines:
 * `{ "key", "live", "shadow", "fields" }`, where a row that a side lacks is null.
 */
export function differenceFiles(folder: string, nowMs: () => number): OpenDifferenceSink {
  return async (rebuild) => {
    const at = new Date(nowMs()).toISOString().replaceAll(/[:.]/g, "-");
    return new DifferenceFile(folder, `rebuild-${rebuild}-${at}.jsonl`);
  };
}

type Rows = Parameters<DifferenceSink["write"]>[0];

/** Made with its first row: most proofs have none. */
class DifferenceFile implements DifferenceSink {
  readonly #folder: string;
  readonly #path: string;
  #stream: WriteStream | undefined;
  #failure: Error | undefined;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#path = join(folder, name);
  }

  async write(rows: Rows): Promise<void> {
    if (rows.length === 0) return;
    const stream = (this.#stream ??= await this.#open());
    if (this.#failure) throw this.#failure;
    const text = rows.map(lineOf).join("");
    if (!stream.write(text)) await once(stream, "drain");
  }

  async close(): Promise<string | undefined> {
    const stream = this.#stream;
    if (stream === undefined) return undefined;
    stream.end();
    await finished(stream);
    return this.#path;
  }

  async discard(): Promise<void> {
    this.#stream?.destroy();
    await rm(this.#path, { force: true });
  }

  async #open(): Promise<WriteStream> {
    await mkdir(this.#folder, { recursive: true });
    const stream = createWriteStream(this.#path, { flags: "wx" });
    stream.on("error", (error) => (this.#failure ??= error));
    return stream;
  }
}

const lineOf = ({ key, live, shadow, fields }: Rows[number]): string =>
  `${jsonOf({ key, live: live ?? null, shadow: shadow ?? null, fields })}\n`;
