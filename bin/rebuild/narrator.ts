import type { RebuildRecord } from "../../engine/ports/rebuilds.ts";
import { planText } from "./plan-text.ts";
import { progressText } from "./progress-text.ts";
import { proofText } from "./proof-text.ts";
import { stateText } from "./record-text.ts";

export interface NarratorOptions {
  readonly out: Pick<NodeJS.WriteStream, "write"> & { readonly isTTY?: boolean };
  readonly nowMs: () => number;
  /** What was shown already: its plan, and its proof. */
  readonly known?: Pick<RebuildRecord, "plan" | "proof">;
  /** Between two lines of progress where there is no terminal. */
  readonly lineMs?: number;
}

/**
 * Tells a rebuild's records as they come: each state with what it has brought, and progress between
 * them, as one line that is written over on a terminal, as some lines elsewhere.
 */
export class Narrator {
  readonly #options: NarratorOptions;
  #state: string | undefined;
  #plan: boolean;
  #provedAtMs: number | undefined;
  #progress: string | undefined;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  /** The terminal's last line is progress, to be written over. */
  #open = false;

  constructor(options: NarratorOptions) {
    this.#options = options;
    this.#plan = options.known?.plan !== undefined;
    this.#provedAtMs = options.known?.proof?.provedAtMs;
  }

  tell(record: RebuildRecord): void {
    const state = stateText(record);
    if (state !== this.#state) this.#line(`rebuild ${record.id} ${state}${detailOf(record)}`);
    this.#state = state;
    if (!this.#plan && record.plan !== undefined) {
      this.#plan = true;
      this.#line(planText(record.plan));
    }
    if (record.proof !== undefined && record.proof.provedAtMs !== this.#provedAtMs) {
      this.#provedAtMs = record.proof.provedAtMs;
      this.#line(proofText(record.proof));
    }
    if (record.state === "filling" && record.progress !== undefined) this.#tellProgress(record);
  }

  /** A line that isn't written over. */
  #line(text: string): void {
    this.close();
    this.#options.out.write(`${text}\n`);
  }

  /** Ends the line that would be written over. */
  close(): void {
    if (this.#open) this.#options.out.write("\n");
    this.#open = false;
  }

  #tellProgress(record: RebuildRecord): void {
    const { out, nowMs, lineMs = 2_000 } = this.#options;
    const text = progressText(record);
    if (text === this.#progress) return;
    if (out.isTTY === true) {
      out.write(`\r\u001b[2K${text}`);
      this.#open = true;
    } else if (nowMs() - this.#toldAtMs >= lineMs) {
      out.write(`${text}\n`);
      this.#toldAtMs = nowMs();
    } else return;
    this.#progress = text;
  }
}

function detailOf({ state, request, base, shadow, failure, undoUntilMs }: RebuildRecord): string {
  switch (state) {
    case "planned":
      return ` (${request.projection}, version ${request.version})`;
    case "filling":
      return shadow === undefined ? "" : `: generation ${shadow} beside generation ${base}`;
    case "failed":
      return failure === undefined ? "" : `: ${failure.message}`;
    case "swapped":
      return undoUntilMs === undefined
        ? ""
        : `: generation ${shadow ?? "?"} serves; undo until ${new Date(undoUntilMs).toISOString()}`;
    case "undone":
      return `: generation ${base} serves again`;
    case "proving":
    case "proved":
    case "abandoned":
      return "";
    default:
      return state satisfies never;
  }
}
