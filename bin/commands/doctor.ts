import type { Command } from "commander";

import { makePool } from "../../connectors/postgres/pool.ts";
import { CommandFailure } from "../command-failure.ts";
import { openDatabase } from "../database.ts";
import { examine } from "../doctor/examine.ts";
import type { Finding } from "../doctor/finding.ts";
import { printAcl } from "../doctor/print-acl.ts";
import { placeOf } from "../environment.ts";
import { exitCodes } from "../exit-codes.ts";
import { commandOnDatabase, type OptionsOnDatabase } from "../program.ts";
import { application } from "../system/definitions.ts";
import { reportToTerminal } from "../terminal.ts";

interface DoctorOptions extends OptionsOnDatabase {
  readonly json?: true;
  readonly acl?: true;
  readonly principal?: readonly string[];
}

/** `refold doctor`: every server, and each finding with its fix. Exit code 1 says there is a fault. */
export function doctorCommand(): Command {
  return commandOnDatabase("doctor")
    .description("check servers, versions, permissions, slots, topics, schemas, with what to do")
    .option("--json", "the findings, or the list of --acl, as JSON")
    .option("--acl", "print the rights in Kafka that each role needs, as commands of kafka-acls.sh")
    .option(
      "--principal <role=principal...>",
      "with --acl: for these roles alone (api, worker, capture, connect), under these names",
    )
    .action(doctor);
}

async function doctor(options: DoctorOptions): Promise<void> {
  if (options.acl) return printAcl(options);
  if (options.principal !== undefined) {
    throw new CommandFailure("usage", "--principal goes with --acl.");
  }
  const place = placeOf(options);
  await using database = await openDatabase({
    place,
    command: "doctor",
    missing: "refuse",
    whenHeld: "join",
  });
  const pool = makePool({ url: database.url, name: "doctor" });
  try {
    const findings = await examine({
      pool,
      url: database.url,
      servers: place.servers,
      definitions: application,
      report: reportToTerminal,
    });
    const text = options.json ? JSON.stringify(findings, undefined, 2) : findingsText(findings);
    process.stdout.write(`${text}\n`);
    if (findings.some(({ state }) => state === "fault")) process.exitCode = exitCodes.failed;
  } finally {
    await pool.end();
  }
}

function findingsText(findings: readonly Finding[]): string {
  const told = (state: Finding["state"]): string => {
    const count = findings.filter((finding) => finding.state === state).length;
    return `${count} ${state}${count === 1 ? "" : "s"}`;
  };
  const lines = findings.flatMap(({ server, state, what, fix }) => [
    `${state.padEnd(8)} ${server.padEnd(9)} ${what}`,
    ...(fix === "" ? [] : [`${" ".repeat(19)}${fix}`]),
  ]);
  return [...lines, "", `${told("fault")}, ${told("warning")}`].join("\n");
}
