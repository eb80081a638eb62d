import { FatalError, RefoldError } from "../engine/errors.ts";
import { DataFolderError, type DataFolderFault } from "../stack/data-folder/errors.ts";
import { EmbeddedPostgresError } from "../stack/postgres/embedded-postgres.ts";
import { certificateAdvice } from "./tls/certificate-advice.ts";
import { exitCodes, type ExitName } from "./exit-codes.ts";

/** A command ends with this exit code and this one sentence. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly exit: ExitName;

  constructor(exit: ExitName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exit = exit;
  }
}

const exitOfFolderFault: Readonly<Record<DataFolderFault, ExitName>> = {
  "in-use": "folderInUse",
  broken: "folderBroken",
  missing: "nothingThere",
};

const exitOfCode: Readonly<Record<string, ExitName>> = {
  "version-differs": "versionMismatch",
  "columns-differ": "versionMismatch",
  "topic-unknown": "nothingThere",
  "at-in-future": "usage",
  "lane-unknown": "nothingThere",
  "capture-unknown": "nothingThere",
  "nothing-captured": "nothingThere",
  "sequence-unknown": "refused",
  "slot-in-use": "refused",
  held: "refused",
};

/** Class 08: connection exceptions; 28: authorisation; 57P0x: shutting down or starting up. */
const unreachable =
  /^(08...|28...|57P0.|3D000|ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|EAI_AGAIN)$/;

/** What a command that threw says to the shell. */
export function failureOf(error: unknown): { readonly code: number; readonly message: string } {
  const { exit, message } = describe(error);
  return { code: exitCodes[exit], message };
}

function describe(error: unknown): { readonly exit: ExitName; readonly message: string } {
  if (error instanceof CommandFailure) return { exit: error.exit, message: error.message };
  if (error instanceof DataFolderError) {
    return { exit: exitOfFolderFault[error.fault], message: error.message };
  }
  if (error instanceof EmbeddedPostgresError)
    return { exit: "folderBroken", message: error.message };
  if (error instanceof FatalError || error instanceof RefoldError) {
    const message = [error.message, certificateAdvice(error) ?? []].flat().join(" ");
    return { exit: exitOfCode[error.code] ?? "failed", message };
  }
  if (isUnreachable(error)) {
    return {
      exit: "databaseUnreachable",
      message: `The database can't be reached (${textOf(error)}): check that it runs and that its URL is right.`,
    };
  }
  const tlsFault = databaseTlsFault(error);
  if (tlsFault !== undefined) return { exit: "databaseUnreachable", message: tlsFault };
  // Not foreseen: where it happened is all that helps.
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exit: "failed", message };
}

function isUnreachable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isUnreachable);
  const { code } = error as { code?: unknown };
  return typeof code === "string" && unreachable.test(code);
}

/** What the database's driver throws of TLS it throws bare; other connections name themselves. */
function databaseTlsFault(error: unknown): string | undefined {
  const advice = certificateAdvice(error);
  if (advice !== undefined) {
    return `The database's certificate is refused (${textOf(error)}). ${advice}`;
  }
  if (!/server does not support SSL/.test(textOf(error))) return undefined;
  return (
    "The database doesn't speak TLS, which its URL asks for: switch ssl on in postgresql.conf, or " +
    "take sslmode out of the URL where the way there is safe without."
  );
}

function textOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map(textOf).join(", ");
  }
  return error instanceof Error ? error.message : String(error);
}
