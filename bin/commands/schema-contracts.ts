import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { Command } from "commander";
import { parse, stringify } from "yaml";

import { SchemaError } from "../../schemas/avro/index.ts";
import { CommandFailure } from "../command-failure.ts";
import { asyncApiOf } from "../contracts/asyncapi.ts";
import { type Break, compareContracts, type ContractDifference } from "../contracts/compare.ts";
import { readContract, type ToldContract } from "../contracts/read-contract.ts";
import { exitCodes } from "../exit-codes.ts";
import { application } from "../system/definitions.ts";
import { refoldVersion } from "../version.ts";

interface OutputOptions {
  readonly json?: true;
}

/** Where a project keeps its contract. */
const contractFile = "docs/asyncapi.yaml";
const documentBytesMax = 16 * 1_048_576;

/** This version's contract, as an AsyncAPI document. */
export const ownContract = () => asyncApiOf(application, refoldVersion());

/** The text of `docs/asyncapi.yaml`, as it should be. */
export const contractText = (): string =>
  [
    "# Generated from the definitions: npm run generate",
    stringify(ownContract(), { lineWidth: 100, aliasDuplicateObjects: false }),
  ].join("\n");

/** `refold schema asyncapi`: what the definitions promise, as an AsyncAPI 3 document. */
export function asyncApiCommand(output: NodeJS.WritableStream): Command {
  return new Command("asyncapi")
    .description("the topics, events, headers and consumers of this version as AsyncAPI 3 (YAML)")
    .option("--json", "as JSON")
    .action((options: OutputOptions) => {
      output.write(
        options.json ? `${JSON.stringify(ownContract(), undefined, 2)}\n` : contractText(),
      );
    });
}

/** `refold schema diff`: which consumers break between another version and this one. */
export function diffCommand(output: NodeJS.WritableStream): Command {
  return new Command("diff")
    .description("which consumers break between another version of the project and this one")
    .argument("<other>", `its ${contractFile}, its folder, or a git revision (of this folder)`)
    .option("--json", "as JSON")
    .action(async (other: string, options: OutputOptions) => {
      const difference = compareContracts(await contractOf(other), readContract(ownContract()));
      output.write(
        options.json ? `${JSON.stringify(difference, undefined, 2)}\n` : textOf(difference, other),
      );
      if (difference.breaks.length > 0) process.exitCode = exitCodes.failed;
    });
}

async function contractOf(other: string): Promise<ToldContract> {
  const text = await textAt(other);
  try {
    return readContract(parse(text));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const where =
      cause instanceof SchemaError ? "has a payload that is no Avro schema" : "is unusable";
    throw new CommandFailure("usage", `The contract of ${other} ${where}: ${why}.`, { cause });
  }
}

/** A file, a project's folder, or else a revision in git. */
async function textAt(other: string): Promise<string> {
  const found = await stat(other).catch(() => undefined);
  if (found?.isFile()) return readFile(other, "utf8");
  if (found?.isDirectory()) {
    return readFile(join(other, contractFile), "utf8").catch((cause: unknown) => {
      throw new CommandFailure("nothingThere", `${other} has no ${contractFile}.`, { cause });
    });
  }
  return textInGit(other);
}

async function textInGit(revision: string): Promise<string> {
  const what = `${revision}:./${contractFile}`;
  try {
    // A revision that begins with a dash would be an option.
    const asked = ["show", "--end-of-options", what];
    const { stdout } = await promisify(execFile)("git", asked, { maxBuffer: documentBytesMax });
    return stdout;
  } catch (cause) {
    throw new CommandFailure(
      "nothingThere",
      `${revision} is no file, no folder and no git revision here that has a ${contractFile}.`,
      { cause },
    );
  }
}

function textOf({ breaks, notes }: ContractDifference, other: string): string {
  const verdict =
    breaks.length === 0
      ? `Nobody breaks between ${other} and this version.`
      : `${breaks.length === 1 ? "1 break" : `${breaks.length} breaks`} between ${other} and this version:`;
  return [
    verdict,
    ...breaks.flatMap(breakLines),
    ...notes.map((note) => `  note: ${note}`),
    "",
  ].join("\n");
}

function breakLines({ topic, message, consumersOf, consumers, reasons }: Break): string[] {
  const what = message === undefined ? topic : `${message} on ${topic}`;
  const whose =
    consumersOf === "theirs"
      ? "of the other version, reading what this one writes"
      : "of this version, reading what the other has written";
  return [
    `  ${what}: ${consumers.join(", ")} ${whose}`,
    ...reasons.map((reason) => `    ${reason}`),
  ];
}
