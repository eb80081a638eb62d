import { Command } from "commander";

import { CommandFailure } from "../command-failure.ts";
import { assertRunsSystem, openDatabase, type Database } from "../database.ts";
import { placeOf, type Place } from "../environment.ts";
import { exitCodes } from "../exit-codes.ts";
import { readOuladFiles } from "../import/oulad-files.ts";
import { planImport } from "../import/oulad-plan.ts";
import { outcomeText, speedText, writeReport } from "../import/outcome.ts";
import { abandonImport, runImport } from "../import/run-import.ts";
import { commandOnDatabase, wholeNumber, type OptionsOnDatabase } from "../program.ts";
import { StopSignals } from "../stop-signals.ts";

interface OuladOptions extends OptionsOnDatabase {
  readonly capacity?: number;
  readonly report?: string;
  readonly abandon?: true;
}

/** `refold import`: histories of others, through the real commands. */
export function importCommand(): Command {
  return new Command("import")
    .description("bring in data of others through the real commands, at its own times")
    .addCommand(ouladCommand());
}

function ouladCommand(): Command {
  return commandOnDatabase("oulad")
    .description("the registrations of the Open University Learning Analytics Dataset")
    .argument("[dir]", "folder with courses.csv and studentRegistration.csv")
    .option(
      "--capacity <seats>",
      "seats of every module (default: as many as it has rows)",
      wholeNumber(0, 2_147_483_647),
    )
    .option("--report <file>", "write the rows that were left out to this file, as CSV")
    .option("--abandon", "give up an import that was interrupted: release its hold of the store")
    .action(oulad);
}

async function oulad(dir: string | undefined, options: OuladOptions): Promise<void> {
  const place = placeOf(options);
  if (options.abandon) return abandon(place);
  if (dir === undefined) throw new CommandFailure("usage", "Name the folder with the dataset.");
  const { capacity } = options;
  const plan = planImport(await readOuladFiles(dir), capacity === undefined ? {} : { capacity });
  if (plan.groups.length === 0) {
    throw new CommandFailure("usage", `${dir} holds no registration that can be used.`);
  }
  using signals = new StopSignals(() => process.exit(exitCodes.interrupted));
  await using database = await databaseOfImport(place, "make");
  const outcome = await runImport({
    plan,
    database,
    servers: place.servers,
    signal: signals.stop,
  });
  if (outcome.kind === "stopped") {
    throw new CommandFailure(
      "interrupted",
      `Stopped at ${outcome.at}: run the import again and it goes on there, or release the ` +
        "store with --abandon.",
    );
  }
  if (options.report !== undefined) await writeReport(options.report, plan.unusable);
  if (outcome.events > 0) process.stderr.write(`${speedText(outcome)}\n`);
  process.stdout.write(`${outcomeText(plan, outcome.counts)}\n`);
}

/** Joins the running system where there is one; otherwise the import runs all but HTTP itself. */
async function databaseOfImport(place: Place, missing: "make" | "refuse"): Promise<Database> {
  const database = await openDatabase({ place, command: "import", missing, whenHeld: "join" });
  if (database.kind === "joined") assertRunsSystem(place, database.instance);
  return database;
}

async function abandon(place: Place): Promise<void> {
  await using database = await openDatabase({
    place,
    command: "import",
    missing: "refuse",
    whenHeld: "join",
  });
  process.stdout.write(`${await abandonImport(database.url)}\n`);
}
