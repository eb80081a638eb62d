/** What the exit code of `refold` says. Stable: scripts depend on it. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  portTaken: 3,
  folderInUse: 4,
  folderBroken: 5,
  databaseUnreachable: 6,
  versionMismatch: 7,
  refused: 8,
  nothingThere: 9,
  interrupted: 130,
} as const;

export type ExitName = keyof typeof exitCodes;

const meanings: Readonly<Record<ExitName, string>> = {
  ok: "done",
  failed: "failed for another reason, or the answer is no (an incompatible schema)",
  usage: "the command line is wrong, or a file it names is unusable",
  portTaken: "the HTTP port is taken",
  folderInUse: "the data folder is in use by another process",
  folderBroken: "the data folder is broken or can't be written",
  databaseUnreachable: "the database can't be reached",
  versionMismatch: "Node, the database or its contents are of a version that this code can't use",
  refused: "refused because of what the store already holds",
  nothingThere: "there is no data folder, topic or file of this name",
  interrupted: "stopped at once by a second Ctrl-C, or before it was done",
};

/** For `refold --help`. */
export function exitCodesText(): string {
  const lines = Object.entries(exitCodes).map(
    ([name, code]) => `  ${String(code).padStart(3)}  ${meanings[name as ExitName]}`,
  );
  return `Exit codes:\n${lines.join("\n")}`;
}
