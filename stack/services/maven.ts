import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { runCommand } from "./commands.ts";

/** `group:artifact:version` of one library. */
export type Coordinates = string;

export interface LibraryTree {
  /** Name of its folder in the cache. */
  readonly name: string;
  readonly libraries: readonly Coordinates[];
  /** Files whose names begin so are left out. */
  readonly without?: readonly string[];
}

const remedy =
  "Maven (`mvn`) must be installed and reach Maven Central, or a mirror that its settings name; " +
  "what is fetched once stays in the cache folder.";

/** A folder with the libraries and everything that they need at run time. */
export async function fetchLibraries(cache: string, tree: LibraryTree): Promise<string> {
  return once(join(cache, tree.name), async (draft) => {
    const pom = join(draft, "pom.xml");
    await writeFile(pom, projectOf(tree));
    const goal = ["dependency:copy-dependencies", "-DincludeScope=runtime"];
    await maven(["-f", pom, ...goal, `-DoutputDirectory=${draft}`]);
    const { without = [] } = tree;
    for (const file of await readdir(draft)) {
      if (without.some((start) => file.startsWith(start))) await rm(join(draft, file));
    }
  });
}

/** A folder with what an archive of kind tar.gz holds. */
export async function fetchArchive(
  cache: string,
  coordinates: Coordinates,
  classifier: string,
): Promise<string> {
  const [, artifact, version] = coordinates.split(":");
  return once(join(cache, `${artifact}-${version}`), async (draft) => {
    const source = `-Dartifact=${coordinates}:tar.gz:${classifier}`;
    await maven(["dependency:copy", source, `-DoutputDirectory=${draft}`]);
    const archive = join(draft, `${artifact}-${version}-${classifier}.tar.gz`);
    await runCommand({ program: "tar", args: ["xzf", archive, "-C", draft], remedy });
    await rm(archive);
  });
}

/** Makes a folder beside its final name and renames it, so that a broken one is never used. */
async function once(folder: string, make: (draft: string) => Promise<void>): Promise<string> {
  if (existsSync(folder)) return folder;
  const draft = `${folder}.draft-${process.pid}`;
  await mkdir(draft, { recursive: true });
  try {
    await make(draft);
    await rename(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return folder;
}

async function maven(args: readonly string[]): Promise<void> {
  await runCommand({ program: "mvn", args: ["-q", "-B", ...args], remedy });
}

function projectOf({ name, libraries }: LibraryTree): string {
  const dependencies = libraries.map((library) => {
    const [group, artifact, version] = library.split(":");
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId>
<version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>refold.stack</groupId><artifactId>${name}</artifactId><version>1</version>
<dependencies>${dependencies.join("\n")}</dependencies>
</project>`;
}
