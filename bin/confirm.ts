import { createInterface } from "node:readline/promises";

/** Is there somebody to ask? */
export const canAsk = (): boolean => process.stdin.isTTY;

/** Asks a question that is answered by yes or no; no, too, when the terminal is closed. */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (signal.aborted || (error as NodeJS.ErrnoException).code === "ABORT_ERR") return false;
    throw error;
  } finally {
    lines.close();
  }
}
