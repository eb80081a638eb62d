import { stripVTControlCharacters } from "node:util";

import { type Frame, lineOf, linesOf } from "./frame.ts";

export interface ScreenOptions {
  readonly out: Pick<NodeJS.WriteStream, "write"> & {
    readonly isTTY?: boolean;
    readonly columns?: number;
  };
  readonly nowMs: () => number;
  /** Between two lines where there is no terminal. */
  readonly lineMs?: number;
}

/** A picture that is written over on a terminal, a line now and then elsewhere. */
export class Screen {
  readonly #options: Required<ScreenOptions>;
  /** Lines of the picture that stand above the cursor. */
  #drawn = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ScreenOptions) {
    this.#options = { lineMs: 2_000, ...options };
  }

  /** Something that stays. */
  say(text: string): void {
    this.#drawn = 0;
    this.#options.out.write(`${text}\n`);
  }

  show(frame: Frame): void {
    const { out, nowMs, lineMs } = this.#options;
    if (out.isTTY === true) return this.#draw(linesOf(frame, out.columns ?? 80));
    if (nowMs() - this.#toldAtMs < lineMs) return;
    this.#toldAtMs = nowMs();
    out.write(`${lineOf(frame)}\n`);
  }

  #draw(lines: readonly string[]): void {
    const { out } = this.#options;
    const columns = out.columns ?? 80;
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : "";
    // A line that wraps would be two of those that the next picture goes up by.
    const text = lines.map((line) => `\u001b[2K${fitting(line, columns)}\n`).join("");
    out.write(`${up}${text}\u001b[J`);
    this.#drawn = lines.length;
  }
}

function fitting(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length < columns ? line : plain.slice(0, columns - 1);
}
