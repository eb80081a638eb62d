import type { BoardEntry, StatusBoard, TaskReport } from "../ports/status-board.ts";

/** A status board in memory. */
export class MemoryStatusBoard implements StatusBoard {
  readonly #entries = new Map<string, readonly BoardEntry[]>();
  readonly #nowMs: () => number;

  /** `nowMs` dates the reports: milliseconds since 1970. */
  constructor(options: { readonly nowMs?: () => number } = {}) {
    this.#nowMs = options.nowMs ?? (() => 0);
  }

  async report(instance: string, reports: readonly TaskReport[]): Promise<void> {
    const reportedAtMs = this.#nowMs();
    const entries = reports.map((report) => ({ ...report, instance, reportedAtMs }));
    this.#entries.set(instance, entries);
  }

  async read(): Promise<readonly BoardEntry[]> {
    return [...this.#entries.values()].flatMap((entries) => entries.map((entry) => ({ ...entry })));
  }
}
