import type { Command } from "commander";

import {
  framingRegistry,
  setFramingRegistry,
} from "../../connectors/postgres/event-store/index.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { ConfluentRegistry } from "../../connectors/registry/index.ts";
import type { RegisteredSchema, SchemaRegistry } from "../../engine/ports/schema-registry.ts";
import { CommandFailure } from "../command-failure.ts";
import { openDatabase } from "../database.ts";
import { placeOf } from "../environment.ts";
import { commandOnDatabase, type OptionsOnDatabase } from "../program.ts";
import { embeddedServers } from "../servers.ts";
import { openRegistry } from "../system/registry.ts";

interface PushOptions extends OptionsOnDatabase {
  readonly from?: string;
}

/** `refold schema push`: another registry gets the store's schemas, under the same ids. */
export function schemaPushCommand(output: NodeJS.WritableStream): Command {
  return commandOnDatabase("push")
    .description("copy schemas with their ids into SCHEMA_REGISTRY_URL, which the store then takes")
    .option("--from <url>", "the registry that framed the events (default: the embedded one)")
    .action(async (options: PushOptions) => {
      const { registryUrl } = placeOf(options).servers;
      if (registryUrl === undefined) {
        throw new CommandFailure("usage", "Set SCHEMA_REGISTRY_URL to the registry to push to.");
      }
      output.write(`${await push(options, registryUrl)}\n`);
    });
}

async function push(options: PushOptions, registryUrl: string): Promise<string> {
  await using database = await openDatabase({
    place: placeOf(options),
    command: "schema push",
    missing: "refuse",
    whenHeld: "join",
  });
  const pool = makePool({ url: database.url, name: "schema push" });
  try {
    const from: SchemaRegistry =
      options.from === undefined
        ? openRegistry(embeddedServers, pool).registry
        : new ConfluentRegistry({ url: options.from });
    const to = new ConfluentRegistry({ url: registryUrl });
    const source = await from.identity();
    const framing = await framingRegistry(pool, source);
    const already = framing !== source && framing === (await to.knownIdentity());
    if (framing !== source && !already) throw otherRegistry(framing, source);
    const { made, known } = await to.importVersions(await versionsOf(from));
    await copyLevels(from, to);
    await setFramingRegistry(pool, await to.identity());
    return `${made} versions copied, ${known} were there. The store takes this registry from now on.`;
  } finally {
    await pool.end();
  }
}

async function versionsOf(registry: SchemaRegistry): Promise<readonly RegisteredSchema[]> {
  const versions: RegisteredSchema[] = [];
  for (const subject of await registry.subjects()) {
    versions.push(...(await registry.versions(subject)));
  }
  return versions;
}

async function copyLevels(from: SchemaRegistry, to: SchemaRegistry): Promise<void> {
  for (const subject of await from.subjects()) {
    const level = await from.compatibility(subject);
    if ((await to.compatibility(subject)) !== level) await to.setCompatibility(level, subject);
  }
}

function otherRegistry(framing: string, source: string): CommandFailure {
  return new CommandFailure(
    "versionMismatch",
    `The store's events were framed with the schema registry ${framing}, and the one that would be ` +
      `copied is ${source}: name the right one with --from.`,
  );
}
