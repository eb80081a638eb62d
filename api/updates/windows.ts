import type { Clock } from "../../engine/ports/clock.ts";
import { Unsent } from "./unsent.ts";
import { type Notice, type PositionVector, subjectOf } from "./update.ts";

export interface UpdateWindowsOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly updatesPerSecondMax: number;
  /** Tells all who follow the module, before it returns. */
  readonly tell: (notice: Notice) => void;
}

interface Window {
  untilMs: number;
  /** Those who have something of their own to tell when it ends. */
  late: (() => void)[];
}

/** What follows 0 in steps of this, modulo 1, is spread evenly however many steps are taken. */
const goldenStep = (Math.sqrt(5) - 1) / 2;
/** At most so much of a window is added to the first one of a module that had rested. */
const spread = 0.5;

/**
 * Lets at most `updatesPerSecondMax` updates a second of each module pass: one that comes after a
 * rest at once, later ones merged into the newest at the end of the module's window, so that the
 * last one is always told. A window begins when everybody has been told, not when they were meant
 * to be: what is told late can't come closer to what follows. Whoever owns it calls `turn` often.
 *
 * Modules that are first told of in one flush would go on in step for ever; their first windows are
 * of different lengths, so that the next ones end apart.
 */
export class UpdateWindows {
  readonly #options: UpdateWindowsOptions;
  readonly #windowMs: number;
  /** Of modules that were told of less than a window ago. */
  readonly #windows = new Map<string, Window>();
  readonly #unsent = new Unsent();
  #phase = 0;

  constructor(options: UpdateWindowsOptions) {
    this.#options = options;
    this.#windowMs = Math.ceil(1_000 / options.updatesPerSecondMax);
  }

  /** How long a module's updates are held for after one was told. */
  get windowMs(): number {
    return this.#windowMs;
  }

  /** No window is open: nothing waits, and the next update of any module is told at once. */
  get idle(): boolean {
    return this.#windows.size === 0;
  }

  take(notice: Notice): void {
    if (this.#windows.has(subjectOf(notice))) this.#unsent.put(notice);
    else this.#leading(subjectOf(notice), () => this.#options.tell(notice));
  }

  /**
   * For one listener that missed an update of a module: `tell` is called at once, or when the
   * module's window ends, after what is told to all. To everybody it is as an update to all, so that
   * the listener gets no more of them than others.
   */
  takeLate(moduleCode: string, tell: () => void): void {
    const window = this.#windows.get(moduleCode);
    if (window === undefined) this.#leading(moduleCode, tell);
    else window.late.push(tell);
  }

  /** Ends the windows whose time is over, and stops after each module that was told of. */
  *turn(): Generator<void, void> {
    for (const [code, window] of this.#windows) {
      if (window.untilMs > this.#options.clock.monotonicMs()) continue;
      const notice = this.#unsent.take(code);
      const { late } = window;
      if (notice === undefined && late.length === 0) {
        this.#windows.delete(code);
        continue;
      }
      window.late = [];
      if (notice !== undefined) this.#options.tell(notice);
      for (const tell of late) tell();
      window.untilMs = this.#options.clock.monotonicMs() + this.#windowMs;
      yield;
    }
  }

  /** Takes out of a vector what waits of these modules (undefined: of all). */
  holdBack(vector: PositionVector, modules: ReadonlySet<string> | undefined): void {
    this.#unsent.holdBack(vector, modules);
  }

  /** What waits is never told: everybody hears that updates were missed. */
  forget(): void {
    this.#unsent.clear();
  }

  #leading(code: string, tell: () => void): void {
    tell();
    this.#phase = (this.#phase + goldenStep) % 1;
    const length = this.#windowMs * (1 + spread * this.#phase);
    this.#windows.set(code, { untilMs: this.#options.clock.monotonicMs() + length, late: [] });
  }
}
