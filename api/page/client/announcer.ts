const restMs = 8_000;

/**
 * Tells screen readers what has changed, in one sentence every few seconds: every change of every
 * module would drown whoever listens.
 */
export class Announcer {
  readonly #region: HTMLElement;
  readonly #full = new Set<string>();
  readonly #free = new Set<string>();
  #isDue = false;

  constructor(region: HTMLElement) {
    this.#region = region;
  }

  /** A module's last seat has gone, or one is free again. */
  turned(code: string, into: "full" | "free"): void {
    const [set, other] = into === "full" ? [this.#full, this.#free] : [this.#free, this.#full];
    if (!other.delete(code)) set.add(code);
    if (!this.#isDue) setTimeout(() => this.#tell(), restMs);
    this.#isDue = true;
  }

  #tell(): void {
    this.#isDue = false;
    const told = [sentence(this.#full, "full now"), sentence(this.#free, "free again")];
    this.#region.textContent = told.filter((one) => one !== "").join(" ");
    this.#full.clear();
    this.#free.clear();
  }
}

const namedMax = 5;

function sentence(codes: ReadonlySet<string>, what: string): string {
  if (codes.size === 0) return "";
  if (codes.size > namedMax) return `${codes.size} modules are ${what}.`;
  return `${[...codes].join(", ")}: ${what}.`;
}
