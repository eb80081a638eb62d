import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import { parse, CsvError } from "csv-parse";

import { CommandFailure } from "../command-failure.ts";

/** A row of a CSV file by column, with the line on which it begins (the heading is line 1). */
export interface FileRow {
  readonly line: number;
  readonly columns: Readonly<Record<string, string>>;
}

export interface OuladFiles {
  readonly courses: readonly FileRow[];
  readonly registrations: readonly FileRow[];
}

export const coursesFile = "courses.csv";
export const registrationsFile = "studentRegistration.csv";

/** More rows than this are refused: the whole file is ordered in memory. */
const rowsMax = 5_000_000;

/** Reads the two files of the folder. @throws CommandFailure naming file and fault. */
export async function readOuladFiles(folder: string): Promise<OuladFiles> {
  const courses = await readRows(join(folder, coursesFile), [
    "code_module",
    "code_presentation",
    "module_presentation_length",
  ]);
  const registrations = await readRows(join(folder, registrationsFile), [
    "code_module",
    "code_presentation",
    "id_student",
    "date_registration",
    "date_unregistration",
  ]);
  return { courses, registrations };
}

async function readRows(path: string, columns: readonly string[]): Promise<FileRow[]> {
  const rows: FileRow[] = [];
  try {
    const parser = parse({ bom: true, columns: true, info: true });
    await pipeline(createReadStream(path), parser, async (parsed: AsyncIterable<ParsedRow>) => {
      for await (const { record, info } of parsed) {
        if (rows.length === 0) assertColumns(path, record, columns);
        if (rows.length >= rowsMax) throw unusable(path, `it has more than ${rowsMax} rows`);
        rows.push({ line: info.lines, columns: record });
      }
    });
  } catch (error) {
    throw asFailure(path, error);
  }
  return rows;
}

interface ParsedRow {
  readonly record: Record<string, string>;
  readonly info: { readonly lines: number };
}

function assertColumns(
  path: string,
  row: Readonly<Record<string, string>>,
  columns: readonly string[],
): void {
  const missing = columns.filter((column) => row[column] === undefined);
  if (missing.length === 0) return;
  throw unusable(path, `it has no column ${missing.join(", ")}`);
}

function asFailure(path: string, error: unknown): Error {
  if (error instanceof CsvError) return unusable(path, error.message, error);
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "EISDIR" || code === "EACCES" || code === "ENOTDIR") {
    return new CommandFailure(
      "nothingThere",
      `${path} can't be read (${code}): name the folder that holds ${coursesFile} and ${registrationsFile}.`,
      { cause: error },
    );
  }
  return error as Error;
}

function unusable(path: string, fault: string, cause?: Error): CommandFailure {
  return new CommandFailure("usage", `${path} is not a file of the dataset: ${fault}.`, { cause });
}
