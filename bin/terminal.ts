/** Says something beside what the command answers. */
export function reportToTerminal(message: string): void {
  process.stderr.write(`refold: ${message}\n`);
}
