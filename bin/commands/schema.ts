import { readFile } from "node:fs/promises";

import { Command } from "commander";

import type { Incompatibility, SchemaRegistry } from "../../engine/ports/schema-registry.ts";
import {
  incompatibilities,
  parseSchema,
  SchemaError,
  type Schema,
} from "../../schemas/avro/index.ts";
import { CommandFailure } from "../command-failure.ts";
import type { PlaceOptions } from "../environment.ts";
import { exitCodes } from "../exit-codes.ts";
import { commandOnDatabase } from "../program.ts";
import { asyncApiCommand, diffCommand } from "./schema-contracts.ts";
import { schemaPushCommand } from "./schema-push.ts";

export interface RegistryConnection extends AsyncDisposable {
  readonly registry: SchemaRegistry;
}

export type ConnectRegistry = (options: PlaceOptions) => Promise<RegistryConnection>;

interface OutputOptions {
  readonly json?: true;
}

interface SchemaFile {
  readonly text: string;
  readonly schema: Schema;
}

/** What is told of two schemas, or of a schema and a subject. */
interface Verdict {
  /** The whole answer as a sentence. */
  readonly sentence: string;
  readonly found: readonly Incompatibility[];
  /** Said beside the verdict in JSON. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** `refold schema`: exit code 1 says that something isn't compatible. */
export function schemaCommand(
  connect: ConnectRegistry,
  output: NodeJS.WritableStream = process.stdout,
): Command {
  return new Command("schema")
    .description(
      "whether schemas, or whole versions, can follow and read one another; the contract; copying",
    )
    .addCommand(checkCommand(connect, output))
    .addCommand(compareCommand(output))
    .addCommand(schemaPushCommand(output))
    .addCommand(asyncApiCommand(output))
    .addCommand(diffCommand(output));
}

function checkCommand(connect: ConnectRegistry, output: NodeJS.WritableStream): Command {
  return commandOnDatabase("check")
    .description("would the registry take this schema under the subject? Nothing is registered")
    .argument("<subject>", "module-events-refold.modules.ModuleOffered, say")
    .argument("<file.avsc>")
    .option("--json", "the verdict as JSON")
    .action(async (subject: string, file: string, options: PlaceOptions & OutputOptions) => {
      const { text } = await schemaIn(file);
      await using connection = await connect(options);
      tell(await checked(connection.registry, { subject, file, text }), options, output);
    });
}

function compareCommand(output: NodeJS.WritableStream): Command {
  return new Command("compare")
    .description("can data of the writer's schema be read with the reader's?")
    .argument("<reader.avsc>")
    .argument("<writer.avsc>")
    .option("--json", "the verdict as JSON")
    .action(async (reader: string, writer: string, options: OutputOptions) => {
      const [read, written] = [await schemaIn(reader), await schemaIn(writer)];
      const found = incompatibilities(read.schema, written.schema);
      const sentence =
        found.length === 0
          ? `Compatible: whatever is written with ${writer} can be read with ${reader}.`
          : `Incompatible: not all that is written with ${writer} can be read with ${reader}.`;
      tell({ sentence, found, facts: { reader, writer } }, options, output);
    });
}

async function checked(
  registry: SchemaRegistry,
  asked: { readonly subject: string; readonly file: string; readonly text: string },
): Promise<Verdict> {
  const { subject, file } = asked;
  const versions = (await registry.versions(subject)).length;
  const level = await registry.compatibility(subject);
  const found = await registry.check(subject, asked.text);
  const facts = { subject, level, versions };
  if (versions === 0) {
    const sentence = `Compatible: ${subject} has no version yet, so it takes any schema.`;
    return { sentence, found, facts };
  }
  const answer = found.length === 0 ? "Compatible" : "Incompatible";
  const takes = found.length === 0 ? "takes" : "refuses";
  const count = versions === 1 ? "1 version" : `${versions} versions`;
  const sentence = `${answer}: ${subject} (${level}, ${count}) ${takes} ${file}.`;
  return { sentence, found, facts };
}

function tell(verdict: Verdict, options: OutputOptions, output: NodeJS.WritableStream): void {
  const { sentence, found, facts } = verdict;
  const compatible = found.length === 0;
  const report = { compatible, ...facts, incompatibilities: found };
  const lines = [sentence, ...found.map(lineOf)];
  output.write(`${options.json ? JSON.stringify(report, undefined, 2) : lines.join("\n")}\n`);
  if (!compatible) process.exitCode = exitCodes.failed;
}

function lineOf({ reason, path, message, version }: Incompatibility): string {
  const against = version === undefined ? "" : `, against version ${version}`;
  return `  ${reason} at ${path}: ${message}${against}`;
}

async function schemaIn(file: string): Promise<SchemaFile> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new CommandFailure("usage", `${file} can't be read (${why}).`, { cause });
  }
  try {
    return { text, schema: parseSchema(text) };
  } catch (cause) {
    if (!(cause instanceof SchemaError)) throw cause;
    throw new CommandFailure("usage", `${file}: ${cause.message}.`, { cause });
  }
}
