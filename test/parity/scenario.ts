import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";

/**
 * What is done to a database of its own while a connector reads it, and what the connector wrote:
 * a recording's file. Before it is recorded, only `ddl`, `dml` and `config` are there.
 */
export interface Scenario {
  /** The name of its file. */
  readonly name: string;
  readonly about?: string;
  /** Run before the connector starts. */
  readonly ddl: readonly string[];
  /** Groups of statements, see `runStatements`. */
  readonly dml: readonly (readonly string[])[];
  /** Debezium's options, without those on the connection. */
  readonly config: Readonly<Record<string, string>>;
  /** false: timing decides about some records. */
  readonly deterministic?: boolean;
  readonly note?: string;
  /** Versions of the servers and the time zone of Postgres. */
  readonly recordedWith?: Readonly<Record<string, string>>;
  readonly schemas?: Readonly<Record<string, object>>;
  readonly events?: readonly RecordedEvent[];
  readonly sqlErrors?: readonly SqlError[];
  /** Why the connector stopped by itself. */
  readonly connectorFailed?: string;
  /** false: its end was not reached. */
  readonly complete?: boolean;
}

/** A record in a form that JSON has room for; `decode.ts` says which. */
export interface RecordedEvent {
  /** In the order in which the connector sent them, over all topics; from 1. */
  readonly seq: number;
  readonly topic: string;
  readonly key: unknown;
  readonly value: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Number of the schema among the file's; null where the bytes are not framed Avro. */
  readonly keySchema: number | null;
  readonly valueSchema: number | null;
  /** The bytes in base64, without the frame. */
  readonly keyAvro: string | null;
  readonly valueAvro: string | null;
}

/** A statement that the server refused. */
export interface SqlError {
  readonly statement: string;
  readonly sqlstate: string;
  readonly message: string;
}

/** @throws Error when the folder can't be read. */
export async function scenarioFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new Error(`${folder} can't be read: name a folder with scenarios, one JSON file each.`, {
      cause,
    });
  });
  return names
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .map((name) => join(folder, name));
}

/** @throws Error naming the file when it has not the form of a scenario. */
export async function readScenario(path: string): Promise<Scenario> {
  const name = basename(path, ".json");
  const read = JSON.parse(await readFile(path, "utf8")) as Partial<Scenario>;
  const { ddl = [], dml, config } = read;
  if (!Array.isArray(dml) || typeof config !== "object") {
    throw new Error(`${path} is no scenario: it needs dml (groups of statements) and config.`);
  }
  return { ...read, name, ddl, dml, config };
}
