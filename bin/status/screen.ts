import { watchedLines } from "./progress-text.ts";
import type { WatchedReport } from "./progress.ts";
import { type PartitionsShown, statusText } from "./text.ts";

export type Out = Pick<NodeJS.WriteStream, "write"> & {
  readonly isTTY?: boolean;
  readonly rows?: number;
};

export interface ScreenOptions {
  readonly out: Out;
  readonly partitions: PartitionsShown;
  readonly intervalMs: number;
  readonly format: "text" | "json";
}

const rowsDefault = 24;

/** ECMA-48: cursor home; erase to the line's end; erase to the screen's end. */
const home = "\u001b[H";
const eraseLine = "\u001b[K";
const eraseBelow = "\u001b[J";

/** Shows each look: in place on a terminal, as whole lines elsewhere, as a line of JSON if asked. */
export function screen({ out, partitions, intervalMs, format }: ScreenOptions) {
  return (report: WatchedReport): void => {
    if (format === "json") out.write(`${JSON.stringify(report)}\n`);
    else if (out.isTTY !== true) out.write(`${watchedLines(report).join("\n")}\n`);
    else
      out.write(inPlace(`${heading(report, intervalMs)}\n${statusText(report, partitions)}`, out));
  };
}

const heading = ({ at, window }: WatchedReport, intervalMs: number): string =>
  `${at}, every ${intervalMs / 1_000} s; verdicts over ${window.seconds.toFixed(0)} s. Ctrl-C ends it.`;

/** Written over what was there, without a moment in which the screen is empty. */
function inPlace(text: string, { rows = rowsDefault }: Out): string {
  const lines = text.split("\n");
  const cut =
    lines.length < rows ? lines : [...lines.slice(0, rows - 2), `(${hidden(lines, rows)})`];
  return `${home}${cut.map((line) => `${line}${eraseLine}\n`).join("")}${eraseBelow}`;
}

const hidden = (lines: readonly string[], rows: number): string =>
  `${lines.length - rows + 2} lines more than the terminal has`;
