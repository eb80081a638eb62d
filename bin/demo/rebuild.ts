import { spawn } from "node:child_process";
import { once } from "node:events";

import { seatAvailability } from "../../projections/seat-availability/index.ts";
import { CommandFailure } from "../command-failure.ts";
import type { Screen } from "./view/screen.ts";

export interface ShownRebuild {
  readonly program: string;
  readonly data: string;
  readonly screen: Screen;
}

/** The same command as anybody's, in the same terminal. @throws CommandFailure when it fails. */
export async function rebuildBeforeYourEyes({
  program,
  data,
  screen,
}: ShownRebuild): Promise<void> {
  const command = ["rebuild", seatAvailability.name, "--yes"];
  screen.say(`\n$ refold ${command.join(" ")}`);
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--", program, ...command, "--data", data],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  const [code] = (await once(child, "exit")) as [number | null];
  if (code === 0) return;
  throw new CommandFailure("failed", `The rebuild ended with exit code ${code ?? "none"}.`);
}
