/** How far a piece of work is. */
export interface ProgressStep {
  readonly done: number;
  readonly total: number;
  /** What is at hand, in a few words. */
  readonly at: string;
}

export interface ProgressOptions {
  readonly out: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly nowMs: () => number;
  /** What is counted: `commands`. */
  readonly unit: string;
  /** Between redraws of the bar on a terminal, and between lines elsewhere. */
  readonly barEveryMs?: number;
  readonly lineEveryMs?: number;
}

const barWidth = 30;

/** A bar on a terminal, a line now and then elsewhere. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #bar: boolean;
  readonly #everyMs: number;
  readonly #beginMs: number;
  #startedAt: number | undefined;
  #shownAtMs = -Infinity;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#bar = options.out.isTTY === true;
    this.#everyMs = this.#bar ? (options.barEveryMs ?? 100) : (options.lineEveryMs ?? 2_000);
    this.#beginMs = options.nowMs();
  }

  show(step: ProgressStep): void {
    const nowMs = this.#options.nowMs();
    this.#startedAt ??= step.done;
    if (nowMs - this.#shownAtMs < this.#everyMs && step.done < step.total) return;
    this.#shownAtMs = nowMs;
    const text = this.#text(step, nowMs);
    this.#options.out.write(this.#bar ? `\r\u001b[K${text}` : `${text}\n`);
  }

  /** Leaves the bar standing and goes on below it. */
  end(): void {
    if (this.#bar && this.#shownAtMs !== -Infinity) this.#options.out.write("\n");
  }

  #text({ done, total, at }: ProgressStep, nowMs: number): string {
    const share = total === 0 ? 1 : done / total;
    const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
    const seconds = (nowMs - this.#beginMs) / 1_000;
    const rate = seconds > 0 ? (done - (this.#startedAt ?? 0)) / seconds : 0;
    const counts = `${done} of ${total} ${this.#options.unit}, ${Math.round(rate)}/s`;
    if (!this.#bar) return `${percent}  ${counts}  ${at}`;
    const filled = Math.round(share * barWidth);
    return `${"█".repeat(filled)}${"░".repeat(barWidth - filled)} ${percent}  ${counts}  ${at}`;
  }
}
